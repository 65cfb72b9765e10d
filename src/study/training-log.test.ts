import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { NetworkPaths } from "./study-folder.js";
import { cpuSecondsOf, curveOf, readRecords, type TimedRecord } from "./training-log.js";

const record = (epoch: number, change: Partial<Record<keyof TimedRecord, unknown>> = {}) => ({
  ...{ generation: 0, role: "patriarch", epoch, epochs: 3, learningRate: 0.1, trainLoss: 1 / epoch },
  ...{ terms: { hard: 1 }, trainTop1: 0.5, imagesPerSecond: 100, seconds: 1, cpuSeconds: 2 },
  date: "2026-11-30T12:00:00.000Z",
  ...change,
});

it("reads the last record of each epoch, and leaves out lines that are none", async () => {
  const work = mkdtempSync(join(tmpdir(), "lyceum-log-"));
  onTestFinished(() => rmSync(work, { recursive: true }));
  const lines = [
    ...[record(2), record(1, { trainLoss: null }), record(2, { trainTop1: 0.75 })].map((line) =>
      JSON.stringify(line),
    ),
    ...[
      "",
      "null",
      "7",
      "{}",
      '{"epoch":3}',
      JSON.stringify(record(3, { trainLoss: "1" })),
      '{"epoch":3,"trainLo',
    ],
  ];
  writeFileSync(join(work, "metrics.jsonl"), lines.join("\n"));
  const records = await readRecords({ work } as NetworkPaths);
  expect(records.map(({ epoch, trainTop1, cpuSeconds }) => [epoch, trainTop1, cpuSeconds])).toEqual([
    [1, 0.5, 2],
    [2, 0.75, 2],
  ]);
  expect(curveOf(records)).toEqual({ trainLoss: [Number.NaN, 0.5], trainTop1: [0.5, 0.75] });
  expect(cpuSecondsOf(records)).toEqual({ cpuSeconds: 4 });
});
