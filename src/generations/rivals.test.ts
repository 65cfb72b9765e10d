/** Rivals in one generation: each is trained, stopped after every step, and resumed to the very bits. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defineMethod, mutualLearning } from "../methods/index.js";
import { builtIn, type RecipeInput, resolveRecipe } from "../recipe/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { freshModel } from "./experiment.js";
import { Interrupted, trainGenerations } from "./index.js";
import { scheduleFor } from "./learner.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "lyceum-rivals-"));
  await trainGenerations({ ...recipe, patriarch: "strict" }, { directory: join(root, "strict") });
  return () => rmSync(root, { recursive: true });
});

const recipe = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 40, testCount: 20, heldOut: 0.2 },
  model: "resnet8",
  generations: 1,
  epochs: 3,
  batchSize: 16,
  schedule: "cosine",
  threads: 1,
} satisfies RecipeInput;

/** All of a run that does not depend on the clock. */
function contentOf(run: string) {
  const read = (file: string) => readFileSync(join(root, run, file));
  const weights = read("generation-0/weights.safetensors").toString("base64");
  const lines = read("metrics.jsonl").toString().trim().split("\n");
  const epochs = lines.map((line) => JSON.parse(line));
  return { weights, epochs: epochs.map(({ seconds, imagesPerSecond, date, ...record }) => record) };
}

describe.each<[string, object]>([
  ["ps-kd", {}],
  ["snapshot-distillation", { cycles: 3 }],
  ["mutual-learning", {}],
])("%s", (method, options) => {
  const input = { ...recipe, patriarch: { method, ...options } };

  it("stopped after every single step and resumed, it comes to the same bits, and frees what it held", async () => {
    await trainGenerations(input, { directory: join(root, method) });
    const whole = contentOf(method);
    const { epochs } = whole;
    expect(epochs).toHaveLength(3);
    for (const { terms } of epochs)
      for (const term of Object.values(terms)) expect(term).toBeGreaterThanOrEqual(0);
    const directory = join(root, `${method}-stopped`);
    const before = settled();
    let sittings = 0;
    for (let stopped = true; stopped; sittings++) {
      const controller = new AbortController();
      // Whatever is asked to stop before it begins takes one step.
      const onProgress = ({ type }: { type: string }) => {
        if (type === "generation-start") setImmediate(() => controller.abort());
      };
      stopped = await trainGenerations(input, {
        directory,
        resume: "auto",
        signal: controller.signal,
        onProgress,
      }).then(
        () => false,
        (error) => {
          if (!(error instanceof Interrupted)) throw error;
          return true;
        },
      );
    }
    expect(sittings).toBeGreaterThan(4);
    expect(settled()).toEqual(before);
    expect(contentOf(`${method}-stopped`)).toEqual(whole);

    // It learns otherwise than the strict patriarch, once there is another to learn from: snapshots are there from the
    // second epoch on.
    const strict = contentOf("strict");
    expect(whole.weights).not.toBe(strict.weights);
    const [losses, strictLosses] = [whole, strict].map((run) => run.epochs.map(({ terms }) => terms.hard));
    expect(losses![0] === strictLosses![0]).toBe(method !== "mutual-learning");
    expect(losses![2]).not.toBe(strictLosses![2]);
  });
});

it("the cycles of snapshot distillation go through the whole schedule each", () => {
  const rates = (patriarch: RecipeInput["patriarch"], epochs: number) => {
    const resolved = resolveRecipe({ ...recipe, epochs, patriarch: patriarch! });
    const at = scheduleFor({ recipe: resolved, library: builtIn }, 0, 10);
    return Array.from({ length: 10 * epochs }, (_, step) => at(step));
  };
  const cycles = rates({ method: "snapshot-distillation", cycles: 2 }, 8);
  const cycle = rates("strict", 4);
  expect(cycles.slice(0, 40)).toEqual(cycles.slice(40));
  cycle.forEach((rate, step) => void expect(cycles[step]).toBeCloseTo(rate, 12));
  // Where the epochs are no multiple of the cycles, a cycle still ends with an epoch.
  const uneven = rates({ method: "snapshot-distillation", cycles: 3 }, 7);
  expect([0, 20, 50].map((step) => uneven[step])).toEqual([uneven[0], uneven[0], uneven[0]]);
  for (const step of [10, 19, 49, 69]) expect(uneven[step]).toBeLessThan(uneven[0]! * 0.6);
  // More cycles than epochs leave one epoch to each.
  expect(rates({ method: "snapshot-distillation", cycles: 9 }, 2).every((rate) => rate > 0)).toBe(true);
});

it("the network and its peers have first weights of their own", () => {
  const images = { classes: 5, channels: 1, height: 8, width: 8 };
  const first = (generation: number, peer?: number) =>
    torch.scope(() => {
      const experiment = { recipe: resolveRecipe(recipe), library: builtIn, images, model: undefined };
      return String(freshModel(experiment, generation, peer).parameters()[0]!.tolist());
    });
  const all = [first(0), first(0, 0), first(0, 1), first(1), first(1, 0)];
  expect(new Set(all).size).toBe(5);
  expect(first(0, 1)).toBe(all[2]);
});

it.each([0.5, -1, "1"])("a method may not have %j peers", async (peers) => {
  const patriarch = defineMethod({ ...mutualLearning, name: "mine", peers: () => peers as number });
  await expect(trainGenerations({ ...recipe, patriarch })).rejects.toThrow(
    `mine must have a whole number of peers, 0 or more, but asks for ${peers}`,
  );
});
