/** What a recipe says about losses that are not finite, in a whole line. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { defineMethod, strict } from "../methods/index.js";
import { RecipeError, type RecipeInput, resolveRecipe } from "../recipe/index.js";
import type { ProgressEvent } from "../runs/index.js";
import { Interrupted, trainGenerations } from "./index.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-not-finite-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The steps, counted over the whole test, whose loss is NaN. */
let bad: number[] = [];
let steps = 0;
const troubled = defineMethod({
  ...strict,
  name: "troubled",
  loss: (input, options) => {
    const { loss, terms } = strict.loss(input, options);
    return { loss: bad.includes(++steps) ? loss.mul(Number.NaN) : loss, terms };
  },
});

const recipe = {
  data: { name: "synthetic", classes: 4, size: 8, channels: 1, trainCount: 64, testCount: 8 },
  model: "resnet8",
  patriarch: troubled,
  generations: 1,
  epochs: 3,
  batchSize: 16,
  optimizer: { learningRate: 0.1 },
  schedule: { kind: "multi-step", milestones: [] },
  threads: 1,
} satisfies RecipeInput;

let directory: string;
let count = 0;
beforeEach(() => {
  directory = join(root, `${count++}`);
  steps = 0;
});
const ratesOf = () => {
  const lines = readFileSync(join(directory, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line)).map(({ epoch, learningRate }) => [epoch, learningRate]);
};
async function notesOf(
  notFinite: RecipeInput["notFinite"],
  more: Parameters<typeof trainGenerations>[1] = {},
) {
  const notes: string[] = [];
  const onProgress = (event: ProgressEvent) => void (event.type === "note" && notes.push(event.message));
  const input = { ...recipe, ...(notFinite && { notFinite }) };
  await trainGenerations(input, { directory, onProgress, ...more });
  return notes;
}

describe("by default", () => {
  it("the training stops, and the last good checkpoint is kept", async () => {
    bad = [6];
    await expect(notesOf(undefined)).rejects.toThrow(
      /generation 0 .* became NaN in epoch 2, at step 2: learning rate 0\.1; .* clipNorm mends it/,
    );
    bad = [];
    expect(await notesOf(undefined, { resume: true })).toEqual([]);
    expect(ratesOf().map(([epoch]) => epoch)).toEqual([1, 2, 3]);
  });
});

describe("skip", () => {
  it("leaves steps out and says so", async () => {
    bad = [2, 6];
    expect(await notesOf({ skip: 2 })).toEqual([
      "epoch 1, step 2: left out, since its loss is not finite (1 so far)",
      "epoch 2, step 2: left out, since its loss is not finite (2 so far)",
    ]);
  });
});

describe("goBack", () => {
  it("goes on from the newest checkpoint with lower rates, when steps may not be left out any more", async () => {
    // In epoch 2, in its second step and again when it is trained for the second time.
    bad = [6, 7, 9];
    const notes = await notesOf({ skip: 1, goBack: 2, rate: 0.25 });
    expect(notes).toHaveLength(3);
    expect(notes[0]).toContain("(1 so far)");
    expect(notes[1]).toMatch(
      /at step 3, after 1 that .* goes back to step 0 after 1 epochs, .* times 0\.25: the 1\. of 2/,
    );
    expect(notes[2]).toContain("left out");
    expect(ratesOf()).toEqual([
      [1, 0.1],
      [2, 0.025],
      [3, 0.025],
    ]);
  });

  it("goes back to the beginning where there is no other checkpoint, and no more often than it may", async () => {
    bad = [1, 2, 3];
    await expect(notesOf({ goBack: 2 })).rejects.toThrow(/became NaN in epoch 1, at step 1/);
    expect(steps).toBe(3);
  });

  it("is remembered by a run that is stopped", async () => {
    bad = [1];
    const controller = new AbortController();
    const onProgress = ({ type }: ProgressEvent) => void (type === "epoch" && controller.abort());
    const stopped = notesOf({ goBack: 1 }, { signal: controller.signal, onProgress });
    await expect(stopped).rejects.toThrow(Interrupted);
    bad = [steps + 1];
    await expect(notesOf({ goBack: 1 }, { resume: true })).rejects.toThrow(
      /became NaN in epoch 2, at step 1/,
    );
    bad = [];
    await notesOf({ goBack: 1 }, { resume: true });
    expect(ratesOf().map(([, rate]) => rate)).toEqual([0.05, 0.05, 0.05]);
  });
});

it.each([
  [{ notFinite: { rate: 0.5 } }, /notFinite\.rate.*goBack, which is missing/],
  [{ notFinite: { skip: 5 }, device: "cuda" }, /notFinite\.skip.*for the CPU/],
  [{ notFinite: { skip: 0 } }, /notFinite\.skip/],
  [{ notFinite: { goback: 1 } }, /did you mean "goBack"/],
])("%j is refused", (wrong, message) => {
  const resolve = () => resolveRecipe({ data: "cifar100", ...(wrong as object) });
  expect(resolve).toThrow(RecipeError);
  expect(resolve).toThrow(message);
});
