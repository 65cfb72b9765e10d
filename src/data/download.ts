import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "./data-error.js";

/** A file on a server. */
export interface RemoteFile {
  readonly name: string;
  /** The exact size as the server sends it. */
  readonly bytes: number;
  /** The MD5 of the file as the server sends it, in hexadecimal. */
  readonly md5: string;
}

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Called as bytes arrive; `received` counts what earlier attempts left. */
  onProgress?: ((progress: { file: string; received: number; bytes: number }) => void) | undefined;
}

/** The MD5 of a file, in hexadecimal; undefined when it is not there. */
export async function md5OfFile(path: string): Promise<string | undefined> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return undefined;
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * Downloads a file into a folder, unless it is there already and right. What arrives is kept in NAME.part,
 * from where the next call goes on; the file appears under its name only after its checksum was found right.
 *
 * @param baseUrl the address of the folder on the server, with or without a slash at the end
 * @returns the file's path
 * @throws DataError when the server refuses, the connection breaks, or size or checksum are wrong
 */
export async function download(
  file: RemoteFile,
  baseUrl: string,
  folder: string,
  { signal, onProgress }: DownloadOptions = {},
): Promise<string> {
  const path = join(folder, file.name);
  if ((await md5OfFile(path)) === file.md5) return path;
  await mkdir(folder, { recursive: true });
  const part = `${path}.part`;
  const url = new URL(file.name, baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`).href;
  const kept = (await stat(part).catch(() => undefined))?.size ?? 0;
  if (kept > file.bytes) await rm(part);
  if (kept !== file.bytes) await receive(file, url, part, { signal, onProgress });
  if ((await md5OfFile(part)) !== file.md5) {
    await rm(part);
    throw new DataError(
      { file: url },
      `what arrived has not the MD5 ${file.md5}, and was removed`,
      "Try again; if it stays so, the server's file has changed: get it elsewhere",
    );
  }
  await rename(part, path);
  return path;
}

/** Receives what `part` lacks of the file's bytes and appends it. */
async function receive(
  { name, bytes }: RemoteFile,
  url: string,
  part: string,
  { signal, onProgress }: DownloadOptions,
): Promise<void> {
  const output = await open(part, "a");
  let { size: received } = await output.stat();
  try {
    // Without this a server may compress the file once more, and ranges would count the compressed bytes.
    const headers = { "accept-encoding": "identity", ...(received > 0 && { range: `bytes=${received}-` }) };
    const response = await fetch(url, { headers, ...(signal && { signal }) });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      // What is here is no beginning of the server's file: the next try starts anew.
      if (response.status === 416) await output.truncate(0);
      const problem = `the server answers ${response.status} ${response.statusText}`.trimEnd();
      throw new DataError(
        { file: url },
        problem,
        "Try later, or get the file elsewhere and put it there by hand",
      );
    }
    const goesOn = response.headers.get("content-range")?.startsWith(`bytes ${received}-`);
    if (response.status !== 206 || !goesOn) {
      // The server sends the file from its beginning.
      await output.truncate(0);
      received = 0;
    }
    for await (const chunk of response.body) {
      if (received + chunk.length > bytes) {
        await output.truncate(0);
        throw new DataError(
          { file: url, offset: bytes },
          `goes on after the expected ${bytes} bytes`,
          elsewhere,
        );
      }
      await output.appendFile(chunk);
      received += chunk.length;
      onProgress?.({ file: name, received, bytes });
    }
  } catch (error) {
    if (error instanceof DataError || signal?.aborted) throw error;
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    const problem = `the connection failed (${reason}) after ${received} of ${bytes} bytes`;
    throw new DataError({ file: url }, problem, "Run the same command again: it goes on from there", error);
  } finally {
    await output.close();
  }
  if (received < bytes) {
    throw new DataError(
      { file: url, offset: received },
      `ends here, but must have ${bytes} bytes`,
      elsewhere,
    );
  }
}

const elsewhere = "Try again; if it stays so, the server's file is not the official one: get it elsewhere";
