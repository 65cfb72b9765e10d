import { appendFileSync, existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appendRecord, readRecords } from "./metrics-log.js";
import type { EpochRecord } from "./types.js";

const logFile = () => join(mkdtempSync(join(tmpdir(), "lyceum-metrics-")), "metrics.jsonl");
const record = (generation: number, epoch: number, trainLoss = 1): EpochRecord => ({
  generation,
  role: generation === 0 ? "patriarch" : "student",
  epoch,
  epochs: 3,
  learningRate: 0.1,
  trainLoss,
  terms: { hard: 0.5 },
  trainTop1: 0.5,
  imagesPerSecond: 100,
  seconds: 1,
  date: "2026-01-01T00:00:00.000Z",
});

test("what was appended is read", async () => {
  const path = logFile();
  const validated = { ...record(0, 2), validation: { loss: 1, top1: 0.4 } };
  await appendRecord(path, record(0, 1));
  await appendRecord(path, validated);
  expect(await readRecords(path)).toEqual([record(0, 1), validated]);
});

test("no file, no records", async () => {
  expect(await readRecords(logFile())).toEqual([]);
});

test("a torn line is left out, before and after going on", async () => {
  const path = logFile();
  await appendRecord(path, record(0, 1));
  appendFileSync(path, JSON.stringify(record(0, 2)).slice(0, 40));
  expect(await readRecords(path)).toEqual([record(0, 1)]);
  await appendRecord(path, record(0, 2, 7));
  expect(await readRecords(path)).toEqual([record(0, 1), record(0, 2, 7)]);
});

test("an epoch that was trained twice counts once, the later", async () => {
  const path = logFile();
  for (const one of [record(0, 1, 5), record(0, 2, 5), record(1, 1), record(0, 2, 3)])
    await appendRecord(path, one);
  expect((await readRecords(path)).map((one) => one.trainLoss)).toEqual([5, 3, 1]);
});

test("a diverged loss stays one", async () => {
  const path = logFile();
  await appendRecord(path, record(0, 1, Number.NaN));
  expect((await readRecords(path))[0]!.trainLoss).toBeNaN();
});

test("lines that are JSON but no record are left out", async () => {
  const path = logFile();
  writeFileSync(path, '{}\n[]\nnull\n{"generation":-1}\n{"__proto__":1}\n');
  expect(await readRecords(path)).toEqual([]);
});

test.skipIf(!existsSync("/dev/full"))(
  "a full disk is told with the file (where there is /dev/full)",
  async () => {
    await expect(appendRecord("/dev/full", record(0, 1))).rejects.toMatchObject({
      code: "ENOSPC",
      path: "/dev/full",
    });
  },
);
