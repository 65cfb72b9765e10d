import { open } from "node:fs/promises";
import { readBoundedText } from "../recipe/index.js";
import { epochRecordSchema } from "./formats.js";
import type { EpochRecord } from "./types.js";

const MAX_BYTES = 64 * 1024 * 1024;

/** Appends one record as one line, in one write; it is on the disk when the promise resolves. */
export async function appendRecord(path: string, record: EpochRecord): Promise<void> {
  const file = await open(path, "a+");
  try {
    // A crash may have torn the last line: the new record then begins a line of its own.
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const torn = size > 0 && last.toString() !== "\n";
    await file.appendFile(`${torn ? "\n" : ""}${JSON.stringify(record)}\n`);
    await file.sync();
  } catch (error) {
    // A write that fails, as on a full disk, does not say by itself what was written.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  } finally {
    await file.close();
  }
}

/**
 * Reads all records, in the order of generation and epoch. Lines that are no records, as a crash leaves them,
 * are left out. Of two records of one epoch, which was then trained again after a crash, the later one
 * counts.
 *
 * @returns no records where there is no file
 * @throws Error when the file cannot be read, is larger than 64 MiB or no UTF-8 text
 */
export async function readRecords(path: string): Promise<EpochRecord[]> {
  const text = await readBoundedText(path, { maxBytes: MAX_BYTES }).catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const records = new Map<string, EpochRecord>();
  for (const line of text.split("\n")) {
    const record = parse(line);
    if (record) records.set(`${record.generation} ${record.epoch}`, record);
  }
  return [...records.values()].sort((a, b) => a.generation - b.generation || a.epoch - b.epoch);
}

function parse(line: string): EpochRecord | undefined {
  try {
    return epochRecordSchema().parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
