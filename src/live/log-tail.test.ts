import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { EpochRecord } from "../runs/index.js";
import { LogTail } from "./log-tail.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-tail-"));
afterAll(() => rmSync(folder, { recursive: true }));

const record = (generation: number, epoch: number, trainLoss = 1): EpochRecord => ({
  ...{
    generation,
    role: generation === 0 ? "patriarch" : "student",
    epoch,
    epochs: 100_000,
    learningRate: 0.1,
    trainLoss,
  },
  ...{ terms: { hard: 1 }, trainTop1: 0.5, imagesPerSecond: 9, seconds: 1, date: "2026-01-01T00:00:00.000Z" },
});
const line = (...of: Parameters<typeof record>) => `${JSON.stringify(record(...of))}\n`;
const places = (tail: LogTail) =>
  tail.records.map(({ generation, epoch, trainLoss }) => [generation, epoch, trainLoss]);

it("reads what is appended, and a line once it is whole", async () => {
  const path = join(folder, "grows.jsonl");
  const tail = new LogTail(path);
  await tail.read();
  expect(tail.records).toEqual([]);
  const [first, second] = [line(0, 1), line(0, 2, 7)];
  writeFileSync(path, first + second.slice(0, 40));
  await tail.read();
  expect(places(tail)).toEqual([[0, 1, 1]]);
  appendFileSync(path, `${second.slice(40)}no record\n{}\n${line(1, 1, 3)}`);
  await tail.read();
  expect(places(tail)).toEqual([
    [0, 1, 1],
    [0, 2, 7],
    [1, 1, 3],
  ]);
});

it("takes the later of two records of an epoch, and forgets what came after the first", async () => {
  const path = join(folder, "again.jsonl");
  writeFileSync(path, line(0, 1) + line(0, 2) + line(0, 3) + line(0, 2, 5));
  const tail = new LogTail(path);
  await tail.read();
  expect(places(tail)).toEqual([
    [0, 1, 1],
    [0, 2, 5],
  ]);
});

it("begins anew with a file that was replaced or cut", async () => {
  const path = join(folder, "replaced.jsonl");
  writeFileSync(path, line(0, 1) + line(0, 2));
  const tail = new LogTail(path);
  await tail.read();
  writeFileSync(`${path}.new`, line(0, 1, 4) + line(0, 2, 4) + line(0, 3, 4));
  renameSync(`${path}.new`, path);
  await tail.read();
  expect(places(tail)).toEqual([1, 2, 3].map((epoch) => [0, epoch, 4]));
  truncateSync(path, line(0, 1, 4).length);
  await tail.read();
  expect(places(tail)).toEqual([[0, 1, 4]]);
});

it("keeps some thousand records of twenty thousand epochs, evenly, with the last", async () => {
  const path = join(folder, "long.jsonl");
  writeFileSync(path, Array.from({ length: 20_000 }, (_, i) => line(0, i + 1)).join(""));
  const tail = new LogTail(path);
  await tail.read();
  const epochs = tail.records.map(({ epoch }) => epoch);
  expect(epochs.length).toBeGreaterThan(500);
  expect(epochs.length).toBeLessThanOrEqual(1001);
  expect(tail.stride).toBe(32);
  expect([epochs[0], epochs[1], epochs.at(-1)]).toEqual([1, 33, 20_000]);
});

it("follows no link, and bounds lines and generations", async () => {
  const secret = join(folder, "secret.jsonl");
  writeFileSync(secret, line(0, 1));
  const link = join(folder, "link.jsonl");
  symlinkSync(secret, link);
  const linked = new LogTail(link);
  await linked.read();
  expect(linked.records).toEqual([]);
  const path = join(folder, "hostile.jsonl");
  const terms = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`term ${i}`, 1]));
  const swollen = `${JSON.stringify({ ...record(500, 1), terms })}\n`;
  const many = swollen + Array.from({ length: 300 }, (_, i) => line(i, 1)).join("");
  writeFileSync(path, `${"x".repeat(3 * 2 ** 20)}\n${many}`);
  const tail = new LogTail(path);
  await tail.read();
  expect(tail.records).toHaveLength(100);
  expect(tail.records.every(({ generation }) => generation < 300)).toBe(true);
});
