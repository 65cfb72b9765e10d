/** Finds the files of a data set: plain or gzipped one by one in a folder, or together in the official archive. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { tarStream } from "../packages.js";
import { type ByteSource, openBytes, readBytes } from "./byte-source.js";
import { DataError } from "./data-error.js";

/** One file of a data set. */
export interface Part {
  readonly name: string;
  /** The exact size, unpacked. */
  readonly bytes: number;
  /** The MD5 of the official content, unpacked, in hexadecimal. */
  readonly md5: string;
}

/** The files a data set consists of. */
export interface Layout {
  readonly parts: readonly Part[];
  /** The names of small text files that are read when they are there, such as lists of class names. */
  readonly texts?: readonly string[];
  /** The folder that the official archive unpacks to. */
  readonly folder?: string;
  /** The name of the official archive. */
  readonly archive?: string;
  /** What to do about damaged files: a sentence. */
  readonly remedy: string;
}

/** A place that holds all parts: a folder (each part's path given), or an archive. */
export type Found = { folder: string; paths: ReadonlyMap<string, string> } | { archive: string };

/** Whether there is a regular file: a pipe would keep the reader waiting for a writer. */
const exists = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * Looks for a data set in a folder (the files themselves, plain or .gz; the archive's folder; the archive),
 * or takes `place` as the archive.
 *
 * @returns what was found, or in words what is not there
 */
export async function findParts(layout: Layout, place: string): Promise<Found | string> {
  const kind = await stat(place).catch(() => undefined);
  if (!kind) return "does not exist";
  if (!kind.isDirectory()) {
    if (layout.archive === undefined) return "is a file, not a folder";
    return kind.isFile() && /\.(tar|tar\.gz|tgz)$/.test(place)
      ? { archive: place }
      : "is neither a folder nor a .tar or .tar.gz; unpack it, and give the folder";
  }
  const inside = layout.folder === undefined ? [place] : [place, join(place, layout.folder)];
  const missing: string[] = [];
  for (const folder of inside) {
    const paths = new Map<string, string>();
    for (const { name } of layout.parts) {
      const path = join(folder, name);
      if (await exists(path)) paths.set(name, path);
      else if (await exists(`${path}.gz`)) paths.set(name, `${path}.gz`);
    }
    if (paths.size === layout.parts.length) return { folder, paths };
    if (paths.size > 0)
      missing.push(...layout.parts.map(({ name }) => name).filter((name) => !paths.has(name)));
  }
  if (layout.archive !== undefined) {
    for (const name of [layout.archive, layout.archive.replace(/\.gz$/, "")]) {
      if (await exists(join(place, name))) return { archive: join(place, name) };
    }
  }
  if (missing.length > 0) return `lacks ${missing.join(", ")}`;
  const packed = (await readdir(place)).find((name) => /\.(xz|zip|7z|bz2|zst)$/.test(name));
  return packed ? `holds none of its files, but ${packed}: is it that, unpacked?` : "holds none of its files";
}

/**
 * Opens every part once, in the order they are stored, and waits for `visit` to read it.
 *
 * @returns the texts that are there, by name
 * @throws DataError when an archive is damaged, lacks a part, or holds one of another size
 */
export async function readParts(
  layout: Layout,
  found: Found,
  visit: (part: Part, source: ByteSource) => Promise<void>,
): Promise<Map<string, string>> {
  if ("archive" in found) return readArchive(layout, found.archive, visit);
  const { remedy } = layout;
  for (const part of layout.parts) {
    const file = found.paths.get(part.name)!;
    await visit(part, { file, chunks: openBytes(file), remedy });
  }
  const texts = new Map<string, string>();
  for (const name of layout.texts ?? []) {
    const file = join(found.folder, name);
    const kind = await stat(file).catch(() => undefined);
    if (kind?.isFile()) texts.set(name, await readText({ file, chunks: openBytes(file), remedy }, kind.size));
  }
  return texts;
}

/** Reads a small text file. */
async function readText(source: ByteSource, bytes: number): Promise<string> {
  if (bytes > 1 << 16) {
    throw new DataError(
      { file: source.file },
      `is ${bytes} bytes long, too long for class names`,
      source.remedy,
    );
  }
  const text = Buffer.alloc(bytes);
  await readBytes(source, bytes, (chunk, offset) => text.set(chunk, offset));
  return text.toString("utf8");
}

async function readArchive(
  layout: Layout,
  archive: string,
  visit: (part: Part, source: ByteSource) => Promise<void>,
): Promise<Map<string, string>> {
  const { parts, folder, remedy } = layout;
  const left = new Map(parts.map((part) => [part.name, part]));
  const textsLeft = new Set(layout.texts);
  const texts = new Map<string, string>();
  // A small archive can unpack to any size: all else in it together may be as large as the parts, and a little more.
  const most = 2 * parts.reduce((sum, { bytes }) => sum + bytes, 0) + (1 << 20);
  async function* bounded(chunks: AsyncIterable<Uint8Array>) {
    let unpacked = 0;
    for await (const chunk of chunks) {
      unpacked += chunk.length;
      if (unpacked > most)
        throw new DataError({ file: archive }, `unpacks to more than ${most} bytes`, remedy);
      yield chunk;
    }
  }
  const extract = tarStream().extract();
  const entries = pipeline(openBytes(archive), bounded, extract, () => {});
  try {
    for await (const entry of entries as typeof extract) {
      const { size = 0, type } = entry.header;
      const name = entry.header.name.replace(/^\.\//, "").replace(`${folder}/`, "");
      const source = { file: `${archive}: ${name}`, chunks: entry as AsyncIterable<Uint8Array>, remedy };
      const part = left.get(name);
      if (type === "file" && part) {
        left.delete(name);
        if (size !== part.bytes) {
          throw new DataError(source, `has ${size} bytes, expected ${part.bytes}`, remedy);
        }
        await visit(part, source);
      } else if (type === "file" && textsLeft.delete(name)) {
        texts.set(name, await readText(source, size));
      } else {
        entry.resume();
      }
      if (left.size + textsLeft.size === 0) break;
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ file: archive }, `cannot be unpacked (${(error as Error).message})`, remedy, error);
  }
  if (left.size > 0) {
    throw new DataError({ file: archive }, `lacks ${[...left.keys()].join(", ")}`, remedy);
  }
  return texts;
}
