import { constants, createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { writeError } from "../write-error.js";
import { epochRecordSchema } from "./formats.js";
import { checksumOf, hasOwnChecksum } from "./json-checksum.js";
import type { EpochRecord } from "./types.js";

/** The longest line that is read; a record is some hundred bytes long. */
const MAX_LINE = 2 ** 20;
/** The most epochs of which records are kept, so that a forged log cannot fill the memory. */
const MAX_RECORDS = 2_000_000;

/** Appends one record as one line, in one write; it is on the disk when the promise resolves. */
export async function appendRecord(path: string, record: EpochRecord): Promise<void> {
  await appendLine(path, { ...record, checksum: checksumOf(record) });
}

/** Appends plain data as one line of JSON, in one write; it is on the disk when the promise resolves. */
export async function appendLine(path: string, data: object): Promise<void> {
  const line = `${JSON.stringify(data)}\n`;
  const file = await open(path, "a+").catch((error) => {
    throw writeError(error, { path });
  });
  try {
    // A crash may have torn the last line: the new record then begins a line of its own.
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const torn = size > 0 && last.toString() !== "\n";
    await file.appendFile(`${torn ? "\n" : ""}${line}`);
    await file.sync();
  } catch (error) {
    throw writeError(error, { path, bytes: line.length });
  } finally {
    await file.close();
  }
}

/** What a log holds. */
export interface Log {
  /** In the order of generation and epoch. */
  records: EpochRecord[];
  /** The numbers, from 1, of the lines that are no records, but for one that a crash has torn. */
  damaged: number[];
}

/**
 * Reads all records, in the order of generation and epoch. Lines that are no records, as a crash leaves them,
 * are left out. Of two records of one epoch, which was then trained again after a crash, the later one
 * counts. The file may be of any size: it is read line by line.
 *
 * @returns no records where there is no file
 * @throws Error that names the file when it cannot be read
 */
export async function readRecords(path: string): Promise<EpochRecord[]> {
  return (await readLog(path)).records;
}

/** Reads a log as {@link readRecords} does, and tells which lines are damaged. */
export async function readLog(path: string): Promise<Log> {
  const records = new Map<string, EpochRecord>();
  const damaged: number[] = [];
  let number = 0;
  for await (const { text, whole } of linesOf(path)) {
    number++;
    const record = parseRecord(text);
    if (record) {
      records.set(`${record.generation} ${record.epoch}`, record);
      if (records.size > MAX_RECORDS)
        throw new Error(`${path}: holds more than ${MAX_RECORDS} epochs, which no run has`);
    } else if (text !== "" && whole && text.endsWith("}")) damaged.push(number);
  }
  const sorted = [...records.values()].sort((a, b) => a.generation - b.generation || a.epoch - b.epoch);
  return { records: sorted, damaged };
}

/** Reads a file's lines one after another. Of a line that is too long only the beginning is given, as one that is not whole. */
async function* linesOf(path: string): AsyncGenerator<{ text: string; whole: boolean }> {
  // Without O_NONBLOCK, opening a FIFO would wait forever for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return;
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path}: not a regular file`);
    let rest = Buffer.alloc(0);
    let skipping = false;
    for await (const piece of createReadStream(path, { fd: file.fd, autoClose: false })) {
      let buffer = Buffer.concat([rest, piece as Buffer]);
      for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10)) {
        if (!skipping) yield { text: buffer.toString("utf8", 0, end), whole: true };
        skipping = false;
        buffer = buffer.subarray(end + 1);
      }
      if (buffer.length > MAX_LINE) {
        if (!skipping) yield { text: buffer.toString("utf8", 0, 1000), whole: false };
        skipping = true;
        buffer = Buffer.alloc(0);
      }
      rest = buffer;
    }
    if (rest.length > 0 && !skipping) yield { text: rest.toString("utf8"), whole: false };
  } finally {
    await file.close();
  }
}

/** Reads one line of a log; undefined where it is no whole record. */
export function parseRecord(line: string): EpochRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return hasOwnChecksum(value) ? epochRecordSchema().parse(value) : undefined;
  } catch {
    return undefined;
  }
}
