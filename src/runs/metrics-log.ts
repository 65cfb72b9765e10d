import { open } from "node:fs/promises";
import { readBoundedText } from "../recipe/index.js";
import { epochRecordSchema } from "./formats.js";
import type { EpochRecord } from "./types.js";

const MAX_BYTES = 64 * 1024 * 1024;

/** Appends one record as one line, in one write, and waits until it is on the disk. */
export async function appendRecord(path: string, record: EpochRecord): Promise<void> {
  const file = await open(path, "a+");
  try {
    // After a crash the last line may be torn: it stays alone on its line.
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
 * The records in order of generation and epoch. Lines that are no record (torn by a crash) are left out; of two for
 * one epoch (trained again after a resume) the later counts. No file: no records.
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
