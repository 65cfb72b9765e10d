/** A run goes on from whatever its folder held at any moment, to the bits of the run that was never interrupted. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RecipeInput } from "../recipe/index.js";
import { type ProgressEvent, RunFolder } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { trainGenerations } from "./index.js";

const recipe = {
  data: { name: "synthetic", classes: 5, size: 12, channels: 3, trainCount: 240, testCount: 20 },
  model: "resnet8",
  patriarch: "strict",
  student: { hardWeight: 0.5, softWeight: 0.5 },
  generations: 2,
  epochs: 2,
  batchSize: 8,
  averageWeights: { decay: 0.9 },
  augment: { mixup: { probability: 0.5 } },
  checkpointEvery: 0,
  threads: 1,
} satisfies RecipeInput;

const root = mkdtempSync(join(tmpdir(), "lyceum-moments-"));
afterAll(() => rmSync(root, { recursive: true }));
const whole = join(root, "whole");
const stateOf = (run: string, generation: number, file = "state.safetensors") =>
  join(run, `generation-${generation}`, "checkpoint", file);
const weightsOf = (run: string) =>
  [0, 1].map((generation) => readFileSync(join(run, `generation-${generation}`, "weights.safetensors")));
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
/** What a reader of the log learns of each epoch: one that was trained again has two lines, of which the later counts. */
const logOf = async (run: string) =>
  (await (await RunFolder.open(run)).readMetrics()).map(
    ({ generation, epoch, trainLoss, terms, trainTop1 }) => ({
      generation,
      epoch,
      trainLoss,
      terms,
      trainTop1,
    }),
  );

/** The places at which the run was copied while it trained: generation, epochs and steps that were done. */
const moments: { generation: number; epoch: number; step: number; copy: string }[] = [];

beforeAll(async () => {
  const seen = new Set<string>();
  const watching = setInterval(() => {
    for (const generation of [0, 1]) {
      const path = stateOf(whole, generation);
      if (!existsSync(path)) continue;
      const { epoch, step } = JSON.parse(torch.readSafetensorsMetadata(path).position!);
      const copy = join(root, `${generation}-${epoch}-${step}`);
      if (seen.has(copy) || moments.length >= 5) continue;
      try {
        cpSync(whole, copy, { recursive: true, filter: (file) => !/\.lock|\.tmp$/.test(file) });
      } catch {
        // A file got its final name in the meantime.
        rmSync(copy, { recursive: true, force: true });
        continue;
      }
      seen.add(copy);
      moments.push({ generation, epoch, step, copy });
    }
  }, 60);
  await trainGenerations(recipe, { directory: whole });
  clearInterval(watching);
});

const outcome = async (run: string) => ({ weights: weightsOf(run).map(sha256), log: await logOf(run) });

it("from checkpoints within epochs, which were written while it trained", async () => {
  expect(moments.length).toBeGreaterThan(2);
  expect(moments.some(({ step }) => step > 0)).toBe(true);
  for (const { copy } of moments) {
    const resumed = `${copy}-resumed`;
    cpSync(copy, resumed, { recursive: true });
    await trainGenerations(recipe, { directory: resumed, resume: true });
    expect(await outcome(resumed)).toEqual(await outcome(whole));
  }
});

it("from the checkpoint before, where the newest is torn, and says so", async () => {
  // A copy may be of the moment between the two renames, when there is only the one before.
  const moment = moments.find(({ copy, generation }) =>
    ["state.safetensors", "previous.safetensors"].every((file) =>
      existsSync(stateOf(copy, generation, file)),
    ),
  )!;
  const torn = join(root, "torn");
  cpSync(moment.copy, torn, { recursive: true });
  const newest = stateOf(torn, moment.generation);
  writeFileSync(newest, readFileSync(newest).subarray(0, 20_000));
  const notes: string[] = [];
  const onProgress = (event: ProgressEvent) => void (event.type === "note" && notes.push(event.message));
  await trainGenerations(recipe, { directory: torn, resume: true, onProgress });
  expect(notes.join()).toMatch(
    /state\.safetensors: .*previous\.safetensors, is sound: the training goes on from there/,
  );
  expect(await outcome(torn)).toEqual(await outcome(whole));
});
