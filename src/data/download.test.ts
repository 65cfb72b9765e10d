import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { download } from "./download.js";
import { fetchDataset } from "./fetch.js";
import { temporaryFolder } from "./fixtures/files.js";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3));
const file = { name: "set.bin", bytes: content.length, md5: createHash("md5").update(content).digest("hex") };

/** Starts a server on this machine, which notes what it is asked for. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? "whole"}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data` };
}

/** Answers ranges as a good server does. */
function whole(request: IncomingMessage, response: ServerResponse, body = content): void {
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  if (from === undefined) {
    response.writeHead(200, { "content-length": body.length }).end(body);
    return;
  }
  const range = `bytes ${from}-${body.length - 1}/${body.length}`;
  const rest = body.subarray(Number(from));
  response.writeHead(206, { "content-range": range, "content-length": rest.length }).end(rest);
}

/** Sends the beginning, then breaks the connection. */
function cutAfter(bytes: number, response: ServerResponse): void {
  response.writeHead(200, { "content-length": content.length });
  response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50));
}

describe("download", () => {
  it("fetches, verifies, reports progress, and does nothing the second time", async () => {
    const server = await serve(whole);
    const folder = join(await temporaryFolder(), "new", "folder");
    const progress: number[] = [];
    const path = await download(file, server.url, folder, {
      onProgress: ({ received }) => progress.push(received),
    });
    expect(content.equals(await readFile(path))).toBe(true);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(content.length);
    expect(await readdir(folder)).toEqual(["set.bin"]);
    await download(file, `${server.url}/`, folder);
    expect(server.asked).toEqual(["/data/set.bin whole"]);
    await writeFile(path, "damaged");
    await download(file, server.url, folder);
    expect(content.equals(await readFile(path))).toBe(true);
  });

  it("goes on where the connection broke", async () => {
    const server = await serve((request, response) =>
      server.asked.length === 1 ? cutAfter(100_000, response) : whole(request, response),
    );
    const folder = await temporaryFolder();
    await expect(download(file, server.url, folder)).rejects.toThrow(
      /connection failed .* after 100000 of 300000 bytes\. Run the same command again/,
    );
    expect(await readdir(folder)).toEqual(["set.bin.part"]);
    expect(content.equals(await readFile(await download(file, server.url, folder)))).toBe(true);
    expect(server.asked).toEqual(["/data/set.bin whole", "/data/set.bin bytes=100000-"]);
  });

  it("starts anew with a server that knows no ranges", async () => {
    const server = await serve((_, response) => response.end(content));
    const folder = await temporaryFolder();
    await writeFile(join(folder, "set.bin.part"), "something else");
    expect(content.equals(await readFile(await download(file, server.url, folder)))).toBe(true);
  });

  it("takes a whole .part without asking, and drops one that is too long", async () => {
    const server = await serve(whole);
    const folder = await temporaryFolder();
    await writeFile(join(folder, "set.bin.part"), content);
    expect(content.equals(await readFile(await download(file, server.url, folder)))).toBe(true);
    expect(server.asked).toEqual([]);
    const other = await temporaryFolder();
    await writeFile(join(other, "set.bin.part"), Buffer.concat([content, content]));
    expect(content.equals(await readFile(await download(file, server.url, other)))).toBe(true);
    expect(server.asked).toEqual(["/data/set.bin whole"]);
  });

  it("refuses and removes what has another checksum", async () => {
    const server = await serve((request, response) => whole(request, response, Buffer.alloc(content.length)));
    const folder = await temporaryFolder();
    await expect(download(file, server.url, folder)).rejects.toThrow(/has not the MD5 .*, and was removed/);
    expect(await readdir(folder)).toEqual([]);
  });

  it("stops at a body that is too long, and says so of one too short", async () => {
    const folder = await temporaryFolder();
    const endless = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(content));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    await expect(download(file, endless.url, folder)).rejects.toThrow(
      /set.bin, byte 300000: goes on after the expected 300000 bytes/,
    );
    expect(await readFile(join(folder, "set.bin.part"))).toHaveLength(0);
    const short = await serve((_, response) => response.end(content.subarray(0, 1000)));
    await expect(download(file, short.url, folder)).rejects.toThrow(
      /byte 1000: ends here, but must have 300000/,
    );
    const shorter = await serve((_, response) => response.writeHead(416).end());
    await expect(download(file, shorter.url, folder)).rejects.toThrow(/the server answers 416/);
    expect(await readFile(join(folder, "set.bin.part"))).toHaveLength(0);
  });

  it("says what the server answered, and that there is none", async () => {
    const server = await serve((_, response) => response.writeHead(404).end("no such file"));
    const folder = await temporaryFolder();
    await expect(download(file, server.url, folder)).rejects.toThrow("the server answers 404 Not Found");
    await expect(download(file, "http://127.0.0.1:1/", folder)).rejects.toThrow(
      /the connection failed \(fetch failed/,
    );
  });

  it("stops when it is told to, and keeps what it has", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1000));
    });
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const running = download(file, server.url, folder, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(running).rejects.toThrow(/abort/);
    expect(await readFile(join(folder, "set.bin.part"))).toEqual(content.subarray(0, 1000));
  });
});

describe("fetchDataset", () => {
  it("asks for the official files by name, and takes nothing else for them", async () => {
    const server = await serve((_, response) => response.end("not the real thing"));
    const root = await temporaryFolder();
    await expect(fetchDataset("cifar100", { root, baseUrl: server.url })).rejects.toThrow(
      /cifar-100-binary.tar.gz, byte 18: ends here, but must have 168513733 bytes/,
    );
    await expect(fetchDataset("fashion-mnist", { root, baseUrl: server.url })).rejects.toThrow(
      /train-images/,
    );
    expect(server.asked).toEqual([
      "/data/cifar-100-binary.tar.gz whole",
      "/data/train-images-idx3-ubyte.gz whole",
    ]);
    await expect(fetchDataset("synthetic")).rejects.toThrow("is made, not fetched");
    await expect(fetchDataset("cifar1000")).rejects.toThrow(
      /no data set "cifar1000": known are fashion-mnist, mnist/,
    );
  });
});
