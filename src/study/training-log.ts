/** The log of a planned network's training: one line of JSON an epoch, beside the results, and what is read from it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TrainingPlace } from "../generations/index.js";
import { epochRecordSchema } from "../runs/formats.js";
import { appendLine, type EpochRecord } from "../runs/index.js";
import type { NetworkFile } from "./network-file.js";
import type { NetworkPaths } from "./study-folder.js";

/** An epoch's record with the processor's seconds that the epoch took, over all threads of this process. */
export type TimedRecord = EpochRecord & { cpuSeconds?: number };

/** Gives the place of a network's checkpoint and log, beside the results. */
export function placeOf({ work }: NetworkPaths): TrainingPlace {
  let before = process.cpuUsage();
  return {
    generation: () => ({ checkpoint: join(work, "checkpoint") }),
    progressFile: join(work, "progress.json"),
    appendMetrics: async (record) => {
      const { user, system } = process.cpuUsage(before);
      before = process.cpuUsage();
      const timed: TimedRecord = { ...record, cpuSeconds: (user + system) / 1e6 };
      await appendLine(join(work, "metrics.jsonl"), timed);
    },
  };
}

/** Reads the records of all epochs, in their order; none where there is no log. */
export async function readRecords({ work }: NetworkPaths): Promise<TimedRecord[]> {
  const path = join(work, "metrics.jsonl");
  const text = existsSync(path) ? await readFile(path, "utf8") : "";
  const byEpoch = new Map<number, TimedRecord>();
  for (const line of text.split("\n")) {
    try {
      const value = JSON.parse(line) as { cpuSeconds?: unknown };
      const record: TimedRecord = epochRecordSchema().parse(value);
      if (typeof value.cpuSeconds === "number") record.cpuSeconds = value.cpuSeconds;
      // An epoch that was trained again after a crash has a second line, which counts.
      byEpoch.set(record.epoch, record);
    } catch {
      // A crash may tear the last line, and the epoch is then trained again. A line that is no record says nothing.
    }
  }
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
}

/** Sums up the processor's seconds of all epochs; there is no sum where an epoch has none. */
export function cpuSecondsOf(records: readonly TimedRecord[]): { cpuSeconds?: number } {
  const sum = records.reduce((sum, { cpuSeconds }) => sum + (cpuSeconds ?? Number.NaN), 0);
  return Number.isFinite(sum) ? { cpuSeconds: Number(sum.toFixed(2)) } : {};
}

/** Makes the learning curve of a network's file, with five digits a number. */
export function curveOf(records: readonly EpochRecord[]): NetworkFile["curve"] {
  const short = (value: number) => Number(value.toPrecision(5));
  const heldOut = records.flatMap(({ validation }) => (validation ? [short(validation.top1)] : []));
  return {
    trainLoss: records.map(({ trainLoss }) => short(trainLoss)),
    trainTop1: records.map(({ trainTop1 }) => short(trainTop1)),
    ...(heldOut.length > 0 && { heldOutTop1: heldOut }),
  };
}
