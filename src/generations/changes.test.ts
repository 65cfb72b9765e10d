/** A finished line goes on with more generations, and the networks to come with more epochs; what cannot change is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { crossEntropy } from "../losses/index.js";
import { defineMethod } from "../methods/index.js";
import type { RecipeInput } from "../recipe/index.js";
import { type ProgressEvent, RunFolder } from "../runs/index.js";
import { Interrupted, type TrainGenerationsOptions, trainGenerations } from "./index.js";

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 32, testCount: 20 },
  model: "resnet8",
  patriarch: { k: 3 },
  student: { method: "mean-of-teachers", softWeight: [0.2, 0.4, 0.6] },
  generations: 2,
  epochs: 2,
  batchSize: 16,
  schedule: { kind: "multi-step", milestones: [1] },
  threads: 1,
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-changes-"));
  return () => rmSync(root, { recursive: true });
});

const train = (directory: string, input: RecipeInput, options: TrainGenerationsOptions = {}) =>
  trainGenerations(input, { directory: join(root, directory), ...options });

/** Goes on with a run, and gives its result with what was said of it. */
async function goOn(directory: string, options: TrainGenerationsOptions = {}) {
  const notes: string[] = [];
  const onProgress = (event: ProgressEvent) => void (event.type === "note" && notes.push(event.message));
  const result = await train(directory, recipe, { resume: true, onProgress, ...options });
  return { result, notes };
}

/** Trains until an epoch of a generation is done. */
async function stopAfter(directory: string, input: RecipeInput, generation: number, epoch: number) {
  const controller = new AbortController();
  const onProgress = (event: ProgressEvent) => {
    if (event.type === "epoch" && event.record.generation === generation && event.record.epoch === epoch)
      controller.abort();
  };
  await expect(train(directory, input, { onProgress, signal: controller.signal })).rejects.toThrow(
    Interrupted,
  );
}

const read = (directory: string, file: string) => readFileSync(join(root, directory, file));
const weightsOf = (directory: string, generations: number) =>
  Array.from({ length: generations }, (_, g) =>
    read(directory, `generation-${g}/weights.safetensors`).toString("base64"),
  );

/** What summary.json says, but for times. */
function resultsOf(directory: string) {
  const { seconds: _, generations, ...rest } = JSON.parse(read(directory, "summary.json").toString());
  return {
    ...rest,
    generations: generations.map(({ trainSeconds: _, ...result }: { trainSeconds: number }) => result),
  };
}

test("a finished line goes on with more generations, to the bits of a line that began so", async () => {
  await train("long", { ...recipe, generations: 4 });
  await train("run", recipe);
  const { result, notes } = await goOn("run", { changes: { generations: 4 } });
  expect(result.generations).toHaveLength(4);
  expect(notes).toEqual(["from generation 2 on: generations 4 (before: 2)"]);
  expect(weightsOf("run", 4)).toEqual(weightsOf("long", 4));
  expect(resultsOf("run")).toEqual(resultsOf("long"));
  const run = await RunFolder.open(join(root, "run"));
  expect(run.recipe.generations).toBe(4);
  expect(await run.status()).toEqual({ state: "finished", finished: 4, generations: 4 });
  expect((await run.readEnvironment())!.changes).toMatchObject([
    { firstGeneration: 2, keys: ["generations"], generations: 4 },
  ]);
  // And once more, with nothing to be done.
  expect((await goOn("run")).notes).toEqual([]);
  await expect(goOn("run", { changes: { generations: 3 } })).rejects.toThrow(
    "generations: 3 is too few, since 4 are finished, and none is taken away: at least 4",
  );
});

test("with auto, a recipe that asks for a longer line has one, and one that asks for a shorter one takes nothing away", async () => {
  await train("run", { ...recipe, generations: 1 });
  expect((await train("run", recipe, { resume: "auto" })).generations).toHaveLength(2);
  expect((await train("run", { ...recipe, generations: 1 }, { resume: "auto" })).generations).toHaveLength(2);
  expect((await RunFolder.open(join(root, "run"))).recipe.generations).toBe(2);
});

describe("a line whose length decides what its students learn", () => {
  const graded = { ...recipe, student: { softWeight: { from: 0.2, to: 0.8 } }, generations: 3 };

  test("is not made longer, by the key that depends on it", async () => {
    await train("run", graded);
    const before = read("run", "recipe.yaml");
    await expect(goOn("run", { changes: { generations: 5 } })).rejects.toThrow(
      "generations: the line cannot become 5 instead of 3 long: student.softWeight follows from the line's length (0.8 here, 0.4 then), " +
        "so that generation 2, which is trained already, would have learnt otherwise",
    );
    expect(read("run", "recipe.yaml")).toEqual(before);
    // Nor by an edited recipe, which until now said what was not so.
    writeFileSync(
      join(root, "run", "recipe.yaml"),
      before.toString().replace("generations: 3", "generations: 5"),
    );
    await expect(goOn("run")).rejects.toThrow("student.softWeight follows from the line's length");
  });

  test("is made longer while no student has begun", async () => {
    await stopAfter("run", graded, 0, 1);
    const { result } = await goOn("run", { changes: { generations: 4 } });
    expect(result.generations).toHaveLength(4);
    await train("long", { ...graded, generations: 4 });
    expect(weightsOf("run", 4)).toEqual(weightsOf("long", 4));
  });

  test("by a loss that asks for it, too", async () => {
    const asking = defineMethod({
      name: "asking",
      summary: "",
      formula: "",
      terms: { hard: "" },
      loss: ({ logits, labels, generations }) => {
        const hard = crossEntropy(logits, labels).mul(generations);
        return { loss: hard, terms: { hard } };
      },
    });
    await train("run", { ...recipe, student: asking });
    await expect(goOn("run", { imports: [asking], changes: { generations: 3 } })).rejects.toThrow(
      "student.method (asking) asks how long the line is",
    );
  });
});

describe("more epochs", () => {
  test("are for the generations to come, and finished ones say how many they had", async () => {
    await train("run", recipe);
    const { result, notes } = await goOn("run", { changes: { epochs: 3, generations: 3 } });
    expect(result.generations.map(({ epochs }) => epochs)).toEqual([2, 2, 3]);
    expect(notes).toEqual(["from generation 2 on: generations 3 (before: 2), epochs 3 (before: 2)"]);
    // Going on with it later needs nothing more.
    expect((await goOn("run")).result.generations).toHaveLength(3);
  });

  test("are for a generation under way, to the bits of one that began so, where nothing it did follows from their number", async () => {
    await stopAfter("run", { ...recipe, generations: 1 }, 0, 1);
    await goOn("run", { changes: { epochs: 3 } });
    await train("long", { ...recipe, generations: 1, epochs: 3 });
    expect(weightsOf("run", 1)).toEqual(weightsOf("long", 1));
    expect(resultsOf("run")).toEqual(resultsOf("long"));
  });

  test.each<[string, Partial<RecipeInput>, string]>([
    ["a cosine", { schedule: "cosine" }, "its learning rate followed schedule.kind cosine"],
    ["a method", { patriarch: "ps-kd" }, "its method, ps-kd, asks how much of the training is done"],
    [
      "snapshots",
      { patriarch: "snapshot-distillation", schedule: { kind: "multi-step", milestones: [] } },
      "its method, snapshot-distillation, took snapshots at epochs that follow from their number",
    ],
    ["an average of the tail", { averageWeights: { from: 0.1 } }, "averageWeights.from took weights"],
  ])(
    "are refused for a generation under way that %s has made depend on them",
    async (_, changes, message) => {
      await stopAfter("run", { ...recipe, ...changes, generations: 1, epochs: 4 }, 0, 2);
      await expect(goOn("run", { changes: { epochs: 24 } })).rejects.toThrow(
        `epochs: generation 0 has done 2 of 4 epochs, and ${message}`,
      );
      await goOn("run", { changes: { title: "renamed" } });
      expect(JSON.parse(read("run", "summary.json").toString()).title).toBe("renamed");
    },
  );

  test("are kept by a process that was killed between noting and making the change", async () => {
    await train("run", recipe);
    const before = read("run", "recipe.yaml");
    await goOn("run", { changes: { epochs: 3, generations: 3 } });
    writeFileSync(join(root, "run", "recipe.yaml"), before);
    await goOn("run", { changes: { generations: 3 } });
    expect((await RunFolder.open(join(root, "run"))).recipe.epochs).toBe(2);
  });
});

test("what its networks learn from is refused by its key, and nothing is changed", async () => {
  await train("run", { ...recipe, generations: 1, epochs: 1, schedule: "cosine" });
  const files = () => ["recipe.yaml", "summary.json", "environment.json"].map((file) => read("run", file));
  const before = files();
  for (const [changes, message] of [
    [{ seed: 3 }, "seed: cannot change while a run goes on"],
    [{ data: { trainCount: 64 } }, "data.trainCount: cannot change while a run goes on"],
    [{ student: { hardWeight: 0.1 } }, "student.hardWeight: cannot change"],
    [{ generations: 0 }, "recipe: generations: must be a whole number from 1 to 100"],
    [{ genrations: 4 }, 'recipe: genrations: unknown key; did you mean "generations"?'],
  ] as const)
    await expect(goOn("run", { changes: changes as never })).rejects.toThrow(message);
  expect(files()).toEqual(before);
});

test("changes are for a run that goes on", async () => {
  await expect(train("run", recipe, { changes: { generations: 3 } })).rejects.toThrow(
    "changes are for a run that goes on",
  );
});
