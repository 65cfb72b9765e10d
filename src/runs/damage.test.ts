/** Single bits turned over in a run's small files: each is refused by the file's name, is told, or changes nothing that counts. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveRecipe } from "../recipe/index.js";
import { describeEnvironment, type Environment, RunFolder } from "./index.js";
import type { EpochRecord, Summary } from "./types.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-damage-"));
afterAll(() => rmSync(root, { recursive: true }));
const sound = join(root, "sound");
const struck = join(root, "struck");
const recipe = resolveRecipe({
  title: "a trial",
  data: "synthetic",
  student: { softWeight: [0.2, 0.4] },
  generations: 3,
  epochs: 2,
  schedule: "cosine",
});
let environment: Environment;

const epoch = (generation: number, epoch: number): EpochRecord => ({
  ...{ generation, role: generation === 0 ? "patriarch" : "student", epoch, epochs: 2, learningRate: 0.1 },
  ...{ trainLoss: 1.25, terms: { hard: 1.5 }, trainTop1: 0.5 },
  ...{ imagesPerSecond: 100, seconds: 1, date: "2026-01-01T00:00:00.000Z" },
});
const summary: Omit<Summary, "format" | "lyceum"> = {
  title: "a trial",
  k: 5,
  generations: [
    {
      ...{
        generation: 0,
        role: "patriarch",
        epochs: 2,
        trainSeconds: 2,
        weights: "generation-0/weights.safetensors",
      },
      test: { top1: 0.75, top5: 0.875, nll: 0.3, scoreByRank: [0.75, 0.125] },
    },
  ],
  ensembles: {},
  seconds: 3,
};

beforeAll(async () => {
  environment = await describeEnvironment({ device: "cpu" });
  const run = await RunFolder.create(sound, recipe, environment);
  for (const [g, e] of [[0, 1], [0, 2], [1, 1]] as const) await run.appendMetrics(epoch(g, e)); // biome-ignore format: a table
  await run.writeSummary(summary);
  await run.close();
  await (await RunFolder.resume(sound, environment)).close();
});

/** What of a run counts for its networks and their results. */
async function counts(run: RunFolder) {
  const { title, description, validateEvery, checkpointEvery, ...deciding } = run.recipe;
  const { lyceum, seconds, generations, ...rest } = (await run.readSummary())!;
  return {
    deciding,
    rest,
    generations: generations.map(({ trainSeconds, ...result }) => result),
    metrics: (await run.readMetrics()).map(({ seconds, imagesPerSecond, date, ...record }) => record),
  };
}

/** Says what became of a bit, in a word; throws where nobody would have noticed what it changed. */
async function turnOver(
  file: string,
  bit: number,
  before: unknown,
): Promise<"refused" | "told" | "harmless"> {
  rmSync(struck, { recursive: true, force: true });
  cpSync(sound, struck, { recursive: true });
  const path = join(struck, file);
  const bytes = readFileSync(path);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  writeFileSync(path, bytes);
  let run: RunFolder;
  try {
    run = await RunFolder.resume(struck, environment);
  } catch (error) {
    expect((error as Error).message).toContain(file);
    return "refused";
  }
  try {
    const told = [...run.notes, ...(await run.epochsLackingInLog([2], 1))].some((note) =>
      note.includes(file),
    );
    if (told) return "told";
    expect(await counts(run)).toEqual(before);
    return "harmless";
  } finally {
    await run.close();
  }
}

test.each(["recipe.yaml", "environment.json", "summary.json", "metrics.jsonl"])("in %s", async (file) => {
  const run = await RunFolder.open(sound);
  const before = await counts(run);
  const bits = 8 * readFileSync(join(sound, file)).length;
  const more = process.env.LYCEUM_DAMAGE_TRIES;
  const tries = Number(more ?? 12);
  const seen = { refused: 0, told: 0, harmless: 0 };
  for (let i = 0; i < tries; i++) {
    // All over the file; the same bits each time, unless more are asked for (LYCEUM_DAMAGE_TRIES=1000).
    const bit = Math.floor(((i + (more === undefined ? 0.5 : Math.random())) * bits) / tries);
    const outcome = await turnOver(file, bit, before).catch((error: Error) => {
      throw new Error(`bit ${bit}: ${error.message}`);
    });
    seen[outcome]++;
  }
  expect(seen.refused + seen.told).toBeGreaterThan(0);
});
