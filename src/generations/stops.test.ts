/** A line that is stopped anywhere and goes on comes to the very bits of one that was not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { studentLoss } from "../losses/index.js";
import { defineMethod } from "../methods/index.js";
import type { RecipeInput } from "../recipe/index.js";
import type { ProgressEvent } from "../runs/index.js";
import { settled } from "../torch/testing/settled.js";
import { Interrupted, type TrainGenerationsOptions, trainGenerations } from "./index.js";

/** Learns from the two generations before it, from the older one the more the longer it trains. */
const family = defineMethod({
  name: "family",
  summary: "",
  formula: "",
  terms: { hard: "", soft: "" },
  teachers: (generation) => (generation > 1 ? [generation - 1, generation - 2] : [generation - 1]),
  loss: ({ logits, labels, teachers, progress }) => {
    const options = { hardWeight: 0.5, softWeight: 0.5, temperature: 2 };
    const [parent, grandparent] = teachers.map((teacher) => studentLoss(logits, labels, teacher, options));
    const loss = grandparent ? parent!.loss.add(grandparent.loss.mul(progress)) : parent!.loss;
    return { loss, terms: parent!.terms };
  },
});

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20, heldOut: 0.25 },
  model: "resnet8",
  patriarch: { k: 3 },
  student: family,
  generations: 4,
  epochs: 2,
  batchSize: 16,
  optimizer: "adamw",
  clipNorm: 0.5,
  averageWeights: { decay: 0.9 },
  schedule: { kind: "cosine", warmupEpochs: 1 },
  threads: 1,
};

let root: string;
let whole: ReturnType<typeof contentOf>;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "lyceum-stops-"));
  await trainGenerations(recipe, { directory: join(root, "whole") });
  whole = contentOf(join(root, "whole"));
  return () => rmSync(root, { recursive: true });
});

/** All of a run that does not depend on the clock. */
function contentOf(directory: string) {
  const read = (file: string) => readFileSync(join(directory, file));
  const { generations, ensembles } = JSON.parse(read("summary.json").toString());
  return {
    tests: generations.map(({ test }: { test: unknown }) => test),
    ensembles,
    files: generations.flatMap((_: unknown, g: number) =>
      ["weights", "test-logits"].map((file) =>
        read(`generation-${g}/${file}.safetensors`).toString("base64"),
      ),
    ),
    epochs: read("metrics.jsonl")
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map(({ seconds, imagesPerSecond, date, ...record }) => record),
  };
}

/** Trains until an event comes, and stops there. */
async function stopAt(
  options: TrainGenerationsOptions,
  isMeant: (event: ProgressEvent) => boolean,
  later?: number,
): Promise<unknown> {
  const controller = new AbortController();
  let meant = false;
  const onProgress = (event: ProgressEvent) => {
    if (meant || !isMeant(event)) return;
    meant = true;
    if (later === undefined) controller.abort();
    else {
      // So many turns of the event loop later: within an epoch's steps, or its validation.
      let turns = later;
      const wait = () => (turns-- > 0 ? setImmediate(wait) : controller.abort());
      setImmediate(wait);
    }
  };
  return trainGenerations(recipe, { ...options, signal: controller.signal, onProgress }).catch(
    (error: unknown) => error,
  );
}

const at = (type: ProgressEvent["type"], generation?: number) => (event: ProgressEvent) =>
  event.type === type &&
  (generation === undefined ||
    ("record" in event ? event.record.generation : "generation" in event && event.generation) === generation);

test.each<[string, (event: ProgressEvent) => boolean, number?]>([
  ["at the start", at("start")],
  ["before the first generation", at("generation-start", 0)],
  ["in the first step", at("generation-start", 0), 0],
  ["in a later step of a student of two", at("generation-start", 2), 3],
  ["after an epoch", at("epoch", 1)],
  ["in the steps after an epoch", at("epoch", 3), 2],
  ["between two generations", at("generation-end", 1)],
  ["before a student of two", at("generation-start", 3)],
])("stopped %s", async (name, isMeant, later) => {
  const directory = join(root, name.replaceAll(" ", "-"));
  const before = settled();
  expect(await stopAt({ directory }, isMeant, later)).toBeInstanceOf(Interrupted);
  expect(settled()).toEqual(before);
  await trainGenerations(recipe, { directory, resume: "auto" });
  expect(contentOf(directory)).toEqual(whole);
});

test("stopped after every single step", async () => {
  const directory = join(root, "every-step");
  let sittings = 0;
  // Whatever is asked to stop before it begins takes one step, so that it comes to an end.
  while ((await stopAt({ directory, resume: "auto" }, at("generation-start"), 0)) instanceof Interrupted)
    sittings++;
  expect(sittings).toBeGreaterThan(8);
  expect(contentOf(directory)).toEqual(whole);
});

test("asked to stop when the last network is trained, it still ends", async () => {
  const directory = join(root, "last");
  const isLast = (event: ProgressEvent) =>
    event.type === "epoch" && event.record.generation === 3 && event.record.epoch === 2;
  expect(await stopAt({ directory }, isLast)).not.toBeInstanceOf(Error);
  expect(contentOf(directory)).toEqual(whole);
});

test("goes on with no other images than those that it began with", async () => {
  const directory = join(root, "images");
  const images = (changes: object) =>
    makeSynthetic({ classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20, ...changes });
  const own = { model: "resnet8", patriarch: { k: 3 }, generations: 1, epochs: 1, batchSize: 16, threads: 1 };
  await trainGenerations(own, { directory, dataset: images({}) });
  const path = join(directory, "recipe.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("generations: 1", "generations: 2"));
  const goOn = (changes: object) =>
    trainGenerations(own, { directory, dataset: images(changes), resume: true });
  await expect(goOn({ size: 12 })).rejects.toThrow("differ in height, width, mean, std");
  await expect(goOn({ seed: 1 })).rejects.toThrow("differ in mean, std");
  await expect(goOn({ trainCount: 48 })).rejects.toThrow("differ in mean, std");
  expect((await goOn({})).generations).toHaveLength(2);
});

test("a generation that was stopped within an epoch goes on with no images that make fewer steps", async () => {
  const directory = join(root, "fewer");
  const images = (trainCount: number) =>
    makeSynthetic({ classes: 5, size: 8, channels: 1, trainCount, testCount: 20 });
  const own = { model: "resnet8", patriarch: { k: 3 }, generations: 1, epochs: 2, batchSize: 8, threads: 1 };
  const controller = new AbortController();
  const onProgress = ({ type }: ProgressEvent) => {
    if (type !== "epoch") return;
    let turns = 4;
    const wait = () => (turns-- > 0 ? setImmediate(wait) : controller.abort());
    setImmediate(wait);
  };
  const { signal } = controller;
  const stopped = trainGenerations(own, { directory, dataset: images(64), signal, onProgress });
  await expect(stopped).rejects.toBeInstanceOf(Interrupted);
  await expect(trainGenerations(own, { directory, dataset: images(8), resume: true })).rejects.toThrow(
    /state.safetensors: stands at step \d after 1 epochs, but the images make 1 steps an epoch/,
  );
});
