import { appendFileSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appendRecord, readLog, readRecords } from "./metrics-log.js";
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

test("a line whose disk has changed it is left out, and told", async () => {
  const path = logFile();
  for (const one of [record(0, 1), record(0, 2), record(0, 3)]) await appendRecord(path, one);
  const sound = readFileSync(path, "utf8");
  expect(await readLog(path)).toMatchObject({ damaged: [], records: { length: 3 } });
  writeFileSync(path, sound.replace('"epoch":2', '"epoch":1'));
  expect(await readLog(path)).toEqual({ records: [record(0, 1), record(0, 3)], damaged: [2] });
  const bytes = Buffer.from(sound);
  bytes[5] = 0xff;
  writeFileSync(path, bytes);
  expect(await readLog(path)).toEqual({ records: [record(0, 2), record(0, 3)], damaged: [1] });
  // A record of an earlier version has no checksum.
  writeFileSync(path, `${JSON.stringify(record(1, 1))}\n`);
  expect(await readRecords(path)).toEqual([record(1, 1)]);
});

test("a log of any size is read line by line, and endless lines are left out", async () => {
  const path = logFile();
  const piece = `${"x".repeat(2 ** 20 - 1)}\n`;
  for (let i = 0; i < 65; i++) appendFileSync(path, piece);
  await appendRecord(path, record(0, 1));
  appendFileSync(path, "y".repeat(3 * 2 ** 20));
  await appendRecord(path, record(0, 2));
  expect(statSync(path).size).toBeGreaterThan(64 * 2 ** 20);
  expect(await readRecords(path)).toEqual([record(0, 1), record(0, 2)]);
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
