/** The list of the samples in a WebDataset shard, kept from one time to the next for as long as the shard stays the same. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DataError } from "../data-error.js";
import { columnsOf, indexFile, loadIndex, saveIndex, textsOf } from "./index-file.js";
import { isRemote, packed } from "./remote.js";
import { type TarEntry, tarEntries, tarEntriesOf } from "./tar.js";
import { type TextList, TextListBuilder } from "./text-list.js";
import { imageEndings } from "./walk.js";

/** A label is a short text. */
const longestLabel = 4096;
/** More than any shard has: a server that invents members without end would fill the memory. */
const mostMembers = 1 << 22;
const remedy = "A sample must be an image and its class, KEY.jpg and KEY.cls, which holds its number from 0";

/** The samples of a shard, in its order. */
export interface ShardIndex {
  /** The names of the images' members. */
  readonly names: TextList;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  /** The class of each. */
  readonly labels: Int32Array;
  /** The bytes of the shard. */
  readonly size: number;
  /** When the shard was last modified, milliseconds since 1970; 0 on a web server. */
  readonly time: number;
}

/** A member of a shard that is an image or a class; of a class what it says. */
interface Member extends TarEntry {
  readonly said?: string;
}

/** How a shard is known to be the same as before. */
interface Version {
  readonly size: number;
  readonly time: number;
  /** What a web server calls the version of a file. */
  readonly tag: string;
}

/**
 * Lists the samples of a shard: members of one name up to its first dot, an image and a class. A shard on a web server is read
 * through once for that.
 *
 * @param path absolute, or an address of HTTP
 * @throws DataError when the shard is damaged, cut short or not to be had, or a sample lacks its image or its class
 */
export async function indexShard(path: string, signal?: AbortSignal): Promise<ShardIndex> {
  const version = isRemote(path) ? await versionOfRemote(path, signal) : versionOf(path);
  const kept = indexFile("shard", path);
  const known = recall(kept, version);
  if (known) return known;
  const members = isRemote(path) ? await remoteMembers(path, version.size, signal) : membersOf(path);
  const names = new TextListBuilder();
  const [offsets, lengths, labels]: [number[], number[], number[]] = [[], [], []];
  for (const { key, image, label } of samplesOf(members)) {
    if (!image || !label)
      throw new DataError({ file: `${path}: ${key}` }, `has no ${image ? "class" : "image"}`, remedy);
    names.add(image.name);
    offsets.push(image.offset);
    lengths.push(image.size);
    labels.push(numberIn(path, label));
  }
  const index = {
    names: names.finish(),
    offsets: Float64Array.from(offsets),
    lengths: Float64Array.from(lengths),
    labels: Int32Array.from(labels),
  };
  const { names: texts, ...columns } = index;
  const { size, time, tag } = version;
  saveIndex(kept, { ...columnsOf("names", texts), ...columns }, { size: `${size}`, time: `${time}`, tag });
  return { ...index, size, time };
}

function versionOf(path: string): Version {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new DataError({ file: path }, "is not there", "Check data.train and data.test");
  return { size: found.size, time: found.mtimeMs, tag: "" };
}

/** Asks a web server for the length of a file and the name of its version. */
async function versionOfRemote(url: string, signal?: AbortSignal): Promise<Version> {
  const response = await answerTo(url, { method: "HEAD", signal: signal ?? null });
  const size = Number(response.headers.get("content-length"));
  if (!(Number.isSafeInteger(size) && size > 0))
    throw new DataError({ file: url }, "the server does not say how long it is", "Use another server");
  return { size, time: 0, tag: response.headers.get("etag") ?? response.headers.get("last-modified") ?? "" };
}

async function answerTo(url: string, init: RequestInit): Promise<Response> {
  const advice = "Check the address and the connection";
  let response: Response;
  try {
    // Unpacked on its way, a shard would have another length than the server says, and other offsets than it has there.
    response = await fetch(url, { ...init, headers: { "accept-encoding": "identity" } });
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new DataError({ file: url }, `cannot be had (${reasonOf(cause)})`, advice);
  }
  if (packed.test(response.headers.get("content-encoding") ?? "")) {
    await response.body?.cancel();
    throw new DataError(
      { file: url },
      "the server sends it packed, though it was asked not to",
      "Use another server",
    );
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw new DataError({ file: url }, `the server answered ${response.status}`, advice);
}

/** Why there was no answer, or why it broke off: fetch hides it in a cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return (cause as Error | undefined)?.message ?? message;
}

const isLabel = (name: string) => name.toLowerCase().endsWith(".cls");

/** Goes through the members of a shard in a file. */
function* membersOf(path: string): Generator<Member> {
  const file = openSync(path, "r");
  try {
    for (const entry of tarEntries(file, path)) {
      if (!isLabel(entry.name)) yield entry;
      else {
        const bytes = Buffer.alloc(Math.min(entry.size, longestLabel));
        readSync(file, bytes, 0, bytes.length, entry.offset);
        yield { ...entry, said: bytes.toString("utf8") };
      }
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Goes through the members of a shard on a web server, all bytes of which are read and let go.
 *
 * @param size what the server said of its length: not more is read, however much it sends
 */
async function remoteMembers(url: string, size: number, signal?: AbortSignal): Promise<Member[]> {
  const { body } = await answerTo(url, { signal: signal ?? null });
  const members: Member[] = [];
  const labels = { of: isLabel, bytes: longestLabel };
  for await (const entry of tarEntriesOf(chunksOf(url, body, signal), url, size, labels)) {
    const { content, ...place } = entry;
    members.push(content ? { ...place, said: content.toString("utf8") } : place);
    if (members.length > mostMembers)
      throw new DataError({ file: url }, `has more than ${mostMembers} members`, "Divide it into shards");
  }
  return members;
}

/** The bytes of an answer, as they come. */
async function* chunksOf(
  url: string,
  body: ReadableStream<Uint8Array> | null,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (body) yield* body;
  } catch (cause) {
    signal?.throwIfAborted();
    const advice = "Check the server and the connection, and try again";
    throw new DataError({ file: url }, `cannot be read (${reasonOf(cause)})`, advice);
  }
}

interface Sample {
  key: string;
  image?: Member;
  label?: Member;
}

/** Groups the members of a shard by their names up to the first dot. Those that are no image and no class are left out. */
function* samplesOf(members: Iterable<Member>): Generator<Sample> {
  let sample: Sample | undefined;
  for (const member of members) {
    const base = member.name.lastIndexOf("/") + 1;
    const dot = member.name.indexOf(".", base);
    if (dot < 0 || dot === base) continue;
    const key = member.name.slice(0, dot);
    const ending = member.name.slice(dot).toLowerCase();
    const isImage = imageEndings.includes(ending);
    if (!isImage && ending !== ".cls") continue;
    if (sample?.key !== key) {
      if (sample) yield sample;
      sample = { key };
    }
    if (isImage) sample.image ??= member;
    else sample.label = member;
  }
  if (sample) yield sample;
}

function numberIn(path: string, { name, said = "" }: Member): number {
  const label = said.trim();
  if (/^\d{1,6}$/.test(label)) return Number(label);
  throw new DataError(
    { file: `${path}: ${name}` },
    `is no class's number but ${JSON.stringify(label.slice(0, 40))}`,
    remedy,
  );
}

function recall(file: string, { size, time, tag }: Version): ShardIndex | undefined {
  const kept = loadIndex(file);
  const { metadata } = kept ?? {};
  if (metadata?.size !== `${size}` || metadata.time !== `${time}` || metadata.tag !== tag) return undefined;
  try {
    const names = textsOf(kept!.columns, "names");
    const { offsets, lengths, labels } = kept!.columns;
    if (!(offsets instanceof Float64Array && lengths instanceof Float64Array && labels instanceof Int32Array))
      return undefined;
    const count = names.starts.length - 1;
    const fits = [offsets, lengths, labels].every((column) => column.length === count);
    return fits ? { names, offsets, lengths, labels, size, time } : undefined;
  } catch {
    return undefined;
  }
}
