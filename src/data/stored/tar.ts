import { fstatSync, readSync } from "node:fs";
import { DataError } from "../data-error.js";

/** A file in a tar archive: its name and where its bytes lie. Nothing is ever unpacked, so that a name can lead nowhere. */
export interface TarEntry {
  readonly name: string;
  /** Where its bytes begin, from the beginning of the archive's file. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

const block = 512;
/** The longest name that is read, and the longest list of pax records, in bytes. */
const longestRecords = 1 << 20;
const remedy = "Get the archive again; it must be an uncompressed tar";

/** Bytes of the archive that are needed to go on: where they begin in its file, and how many. */
interface Wanted {
  readonly from: number;
  readonly length: number;
}

/**
 * Goes through the headers of a tar archive in a file, by positions: of an archive of 150 GB a thousandth is read.
 * `tar-stream`, which reads other archives here, reads all bytes of one.
 *
 * @param file the open file
 * @param path names it in messages
 * @param range where in the file the archive begins and ends; the whole file when left out
 * @throws DataError when a header is damaged or the archive is cut short
 */
export function* tarEntries(
  file: number,
  path: string,
  range: readonly [number, number] = [0, fstatSync(file).size],
): Generator<TarEntry, void, undefined> {
  const steps = tarSteps(path, range);
  for (let step = steps.next(); !step.done; ) {
    if ("name" in step.value) {
      yield step.value;
      step = steps.next();
    } else {
      const { from, length } = step.value;
      const bytes = Buffer.alloc(length);
      step = steps.next(bytes.subarray(0, readSync(file, bytes, 0, length, from)));
    }
  }
}

/**
 * Goes through the headers of a tar archive that comes as a stream, of which no more is kept than a header.
 *
 * @param chunks the archive's bytes from its beginning
 * @param path names it in messages
 * @param size the bytes of the whole archive; what follows them is not read
 * @param wanted says of which members the content is given too, up to so many bytes of it
 * @throws DataError as `tarEntries`, and when there are fewer bytes than the archive is said to have; what `chunks` throws
 */
export async function* tarEntriesOf(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  size: number,
  wanted: { of(name: string): boolean; bytes: number },
): AsyncGenerator<TarEntry & { content?: Buffer }, void, undefined> {
  const stream = chunks[Symbol.asyncIterator]();
  let [chunk, start]: [Uint8Array, number] = [new Uint8Array(0), 0];
  /** Gives the bytes at a position that is not before an earlier one, fewer where the stream ends. */
  const read = async ({ from, length }: Wanted): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    for (let at = from; at < from + length; ) {
      while (at >= start + chunk.length) {
        start += chunk.length;
        const next = await stream.next();
        if (next.done) return Buffer.concat(parts);
        chunk = next.value;
      }
      parts.push(chunk.subarray(at - start, from + length - start));
      at += parts.at(-1)!.length;
    }
    return Buffer.concat(parts);
  };
  try {
    const steps = tarSteps(path, [0, size]);
    for (let step = steps.next(); !step.done; ) {
      if (!("name" in step.value)) {
        step = steps.next(await read(step.value));
        continue;
      }
      const entry = step.value;
      if (wanted.of(entry.name)) {
        const length = Math.min(entry.size, wanted.bytes);
        yield { ...entry, content: await read({ from: entry.offset, length }) };
      } else yield entry;
      step = steps.next();
    }
  } finally {
    await stream.return?.();
  }
}

/** The headers of a tar archive (ustar, with GNU's and pax's long names and sizes), wherever their bytes come from. */
function* tarSteps(
  path: string,
  [start, end]: readonly [number, number],
): Generator<TarEntry | Wanted, void, Buffer | undefined> {
  let longName: string | undefined;
  let records: Record<string, string> = {};
  let position = start;
  for (;;) {
    const at = position;
    const refuse = (problem: string): never => {
      throw new DataError({ file: path, offset: at }, problem, remedy);
    };
    function* read(from: number, length: number): Generator<Wanted, Buffer, Buffer | undefined> {
      const bytes = from + length <= end ? yield { from, length } : undefined;
      return bytes?.length === length ? bytes : refuse("the archive is cut short");
    }
    const header = yield* read(position, block);
    if (header.every((byte) => byte === 0)) return;
    if (!hasChecksum(header)) refuse("is no header of a tar archive");
    const type = String.fromCharCode(header[156]!);
    const size = records.size === undefined ? numberAt(header, 124, 12) : Number(records.size);
    if (!Number.isSafeInteger(size) || size < 0) refuse("a member has no proper size");
    const offset = position + block;
    position = offset + Math.ceil(size / block) * block;
    if (type === "x" || type === "L") {
      if (size > longestRecords) refuse(`a member's name or its records take ${size} bytes`);
      const data = yield* read(offset, size);
      if (type === "x") records = { ...records, ...paxRecords(data) };
      else longName = textUntilZero(data);
      continue;
    }
    // A pax header for all members that follow, and GNU's long name of a link, say nothing of where a file's bytes lie.
    const isFile = "0\x007".includes(type);
    if (position > end && !isFile)
      refuse("the archive is cut short, or says that a member is larger than it is");
    if (type === "g" || type === "K") continue;
    const name = records.path ?? longName ?? nameIn(header);
    longName = undefined;
    records = {};
    if (type === "S") refuse(`${name} is stored as a sparse file, which is not read`);
    // Folders, links and devices hold no bytes of an image.
    if (!isFile || name.endsWith("/")) continue;
    if (offset + size > end) refuse(`the archive is cut short: ${name} is not whole`);
    yield { name, offset, size };
  }
}

function nameIn(header: Buffer): string {
  const name = textUntilZero(header.subarray(0, 100));
  const prefix =
    header.toString("latin1", 257, 263) === "ustar\0" ? textUntilZero(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textUntilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

/** Reads a number: octal digits, or GNU's big-endian binary where the first bit is set. NaN where it is neither. */
function numberAt(header: Buffer, start: number, length: number): number {
  const field = header.subarray(start, start + length);
  if (field[0]! & 0x80) {
    const digits = Buffer.from(field);
    digits[0]! &= 0x7f;
    return digits.reduce((value, byte) => 256 * value + byte, 0);
  }
  const digits = textUntilZero(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : Number.NaN;
}

/** Whether the sum of the header's bytes, with spaces for its own digits, is the one that it holds. */
function hasChecksum(header: Buffer): boolean {
  let sum = 0;
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  return sum === numberAt(header, 148, 8);
}

/** Reads pax's records: `LENGTH KEY=VALUE\n`, the length counting all of the record. */
function paxRecords(data: Buffer): Record<string, string> {
  const records: Record<string, string> = Object.create(null);
  for (let position = 0; position < data.length; ) {
    const space = data.indexOf(0x20, position);
    const length = Number(data.toString("latin1", position, Math.max(position, space)));
    if (space < 0 || !Number.isInteger(length) || length <= space - position) break;
    const text = data.toString("utf8", space + 1, position + length - 1);
    const equals = text.indexOf("=");
    if (equals > 0) records[text.slice(0, equals)] = text.slice(equals + 1);
    position += length;
  }
  return records;
}
