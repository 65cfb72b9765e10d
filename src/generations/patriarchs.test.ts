/** Tests of patriarchs that need more of the training than a loss: on drawn images, whole and in a run folder. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { defineMethod, strict } from "../methods/index.js";
import type { RecipeInput } from "../recipe/index.js";
import type { EpochRecord, ProgressEvent } from "../runs/index.js";
import { trainGenerations } from "./index.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-patriarchs-"));
  return () => rmSync(root, { recursive: true });
});

const recipe = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20, heldOut: 0.25 },
  model: "resnet8",
  patriarch: "strict",
  generations: 1,
  epochs: 4,
  batchSize: 16,
  schedule: "cosine",
  threads: 1,
} satisfies RecipeInput;

const read = (...path: string[]) => readFileSync(join(root, ...path));
const recordsOf = (run: string): EpochRecord[] =>
  read(run, "metrics.jsonl")
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("early-stopped", () => {
  const patriarch = (options: object) => ({ method: "early-stopped", ...options });

  it("is trained for a fraction of the epochs, and its students for all of them", async () => {
    const events: ProgressEvent[] = [];
    const { generations } = await trainGenerations(
      { ...recipe, patriarch: patriarch({ fraction: 0.5 }), generations: 2 },
      { directory: join(root, "early"), onProgress: (event) => void events.push(event) },
    );
    expect(generations.map(({ epochs }) => epochs)).toEqual([2, 4]);
    const { generations: stored } = JSON.parse(read("early", "summary.json").toString());
    expect(stored.map(({ epochs }: { epochs: number }) => epochs)).toEqual([2, 4]);
    const records = recordsOf("early");
    expect(records.map(({ generation, epoch, epochs }) => [generation, epoch, epochs])).toEqual([
      ...[1, 2].map((epoch) => [0, epoch, 2]),
      ...[1, 2, 3, 4].map((epoch) => [1, epoch, 4]),
    ]);
    // Half a cosine over twelve steps: the last step of the patriarch's six is the eleventh, and step 12 of the student's.
    const rate = (step: number) => (0.1 * (1 + Math.cos((Math.PI * step) / 12))) / 2;
    expect(records[1]!.learningRate).toBeCloseTo(rate(10), 12);
    expect(records[5]!.learningRate).toBeCloseTo(rate(11), 12);
  });

  it("is the strict patriarch to the bit where it is trained for all epochs", async () => {
    const files = [];
    for (const [name, method] of [
      ["whole", patriarch({ fraction: 1 })],
      ["strict", "strict"],
    ] as const) {
      await trainGenerations({ ...recipe, epochs: 2, patriarch: method }, { directory: join(root, name) });
      files.push(read(name, "generation-0", "test-logits.safetensors"));
    }
    expect(files[0]!.equals(files[1]!)).toBe(true);
  });

  it("is trained for one epoch at least", async () => {
    const { generations } = await trainGenerations({ ...recipe, patriarch: patriarch({ fraction: 0.01 }) });
    expect(generations[0]!.epochs).toBe(1);
  });
});

it.each([1.5, -1, Number.NaN, "3", undefined])("a method may not ask for %j epochs", async (epochs) => {
  const patriarch = defineMethod({ ...strict, name: "mine", epochs: () => epochs as number });
  await expect(trainGenerations({ ...recipe, patriarch })).rejects.toThrow(
    `mine must train for a whole number of epochs, 0 or more, but asks for ${epochs}`,
  );
});
