import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as methods from "../methods/index.js";
import { defineMethod } from "../methods/index.js";
import { modelNames } from "../models/index.js";
import {
  classCount,
  listRecipes,
  loadRecipe,
  RecipeError,
  readRecipe,
  recipeForRanks,
  recipeToYaml,
  resolveRecipe,
} from "./index.js";
import { parseYaml } from "./yaml.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-recipe-"));
/** The names of all methods, as messages list them. */
const allMethods = methods.methods.map(({ name }) => JSON.stringify(name)).join(", ");
const write = (text: string) => {
  const path = join(folder, "mine.yaml");
  writeFileSync(path, text);
  return path;
};
/** Gives the message with which a recipe file is refused. */
async function refusal(text: string, set: string[] = []): Promise<string> {
  const error = await loadRecipe(write(text), { set }).catch((caught) => caught);
  expect(error).toBeInstanceOf(RecipeError);
  return error.message.replaceAll(folder, "");
}

test("only the data set must be said; all else has a default", async () => {
  const recipe = await loadRecipe(write("data: cifar100"));
  expect(recipe).toEqual({
    title: "mine",
    data: { name: "cifar100", heldOut: 0 },
    model: "resnet20",
    patriarch: { method: "top-score-difference", k: 5, primaryScore: 0.8 },
    student: { method: "distillation", hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
    generations: 3,
    epochs: 164,
    batchSize: 128,
    optimizer: {
      kind: "sgd",
      learningRate: 0.1,
      momentum: 0.9,
      nesterov: false,
      weightDecay: 1e-4,
      decayNorm: true,
    },
    schedule: { kind: "multi-step", milestones: [0.5, 0.75], gamma: 0.1, warmupEpochs: 0 },
    augment: { crop: 4, flip: true },
    seed: 0,
    device: "cpu",
    precision: "float32",
    kernels: "fast",
  });
});

test("what is resolved and written out resolves to itself", async () => {
  for (const { name } of await listRecipes()) {
    const recipe = await loadRecipe(name);
    expect(resolveRecipe(parseYaml(recipeToYaml(recipe)).value)).toEqual(recipe);
  }
});

test("every recipe of the package loads, describes itself and can be made strict", async () => {
  const recipes = await listRecipes();
  expect(recipes.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "quickstart",
      "fashion-mnist-resnet20",
      "cifar100-resnet20",
      "cifar100-resnet110",
    ]),
  );
  for (const { name, description } of recipes) {
    expect(description).toMatch(/\w/);
    expect((await loadRecipe(name)).patriarch).toHaveProperty("k");
    expect((await loadRecipe(name, { set: ["patriarch=strict"] })).patriarch).toEqual({ method: "strict" });
  }
});

test("overrides come in order, over the file", async () => {
  const set = ["student.hardWeight=0.5", "patriarch={k: 4, hardWeight: 0.4}", "seed=1", "seed=2"];
  const recipe = await loadRecipe(write("data: cifar100\nstudent: {hardWeight: 0.6}"), { set });
  expect(recipe.student.hardWeight).toBe(0.5);
  expect(recipe.patriarch).toEqual({ method: "top-score-difference", k: 4, hardWeight: 0.4 });
  expect(recipe.seed).toBe(2);
});

describe("a refusal names file, line, key, what was given and what is allowed", () => {
  test.each([
    ["epochs: 0\ndata: mnist", "/mine.yaml:1: epochs: must be a whole number from 1 to 100000, given 0"],
    ["data: mnist\nepochs: 3.5", "/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given 3.5"],
    [
      "data: mnist\nstudent:\n  hardWieght: 1",
      '/mine.yaml:3: student.hardWieght: unknown key; did you mean "hardWeight"?',
    ],
    [
      "data: mnist\nbanana: 1",
      "/mine.yaml:2: banana: unknown key; known here: title, description, data, model,",
    ],
    [
      "data: mnst",
      '/mine.yaml:1: data.name: must be one of fashion-mnist, mnist, cifar10, cifar100, folder, imagenet, shards, synthetic, given "mnst"; did you mean "mnist"?',
    ],
    [
      "data: {name: cifar100, labels: course}",
      '/mine.yaml:1: data.labels: must be one of "fine", "coarse", given "course"; did you mean "coarse"?',
    ],
    [
      "data: mnist\nmodel: resnet21",
      `model: must be one of ${modelNames.join(", ")}, given "resnet21"; did you mean "resnet20"?`,
    ],
    ["data: 3", "data: must be one of"],
    [
      "data: mnist\npatriarch: stric",
      `patriarch: must be one of ${allMethods} or a mapping of method and its options, given "stric"; did you mean "strict"?`,
    ],
    ["data: mnist\npatriarch: {k: 1}", "patriarch.k: must be a whole number of at least 2, given 1"],
    [
      "data: mnist\npatriarch: {primaryScor: 0.7}",
      'patriarch.primaryScor: unknown key; did you mean "primaryScore"?',
    ],
    [
      "data: mnist\nschedule: {kind: cosin}",
      'schedule.kind: must be "multi-step" or "cosine" or "one-cycle", given "cosin"; did you mean "cosine"?',
    ],
    [
      "data: mnist\nschedule: {kind: cosine, gamma: 0.1}",
      "schedule.gamma: only multi-step has this, not cosine",
    ],
    [
      "data: mnist\nstudent:",
      `/mine.yaml:2: student: must be one of ${allMethods} or a mapping of method and its options, given nothing`,
    ],
    ["data: mnist\nprecision: float16", "/mine.yaml:2: precision: float16 needs a GPU, --device cuda"],
    ["data: mnist\ndevice: gpu", 'device: must be text that matches ^(cpu|cuda(:\\d{1,2})?)$, given "gpu"'],
    ["", "/mine.yaml: data: is missing; must be one of"],
    ["- data", '/mine.yaml:1: a recipe is a mapping, such as "data: cifar100"'],
    ["# of one word\nmnist", '/mine.yaml:2: a recipe is a mapping, such as "data: cifar100"'],
    ["data: !env X", "/mine.yaml:1: Unresolved tag: !env"],
    ["__proto__: {a: 1}\ndata: mnist", "/mine.yaml:1: __proto__: unknown key"],
  ])("%j", async (text, message) => {
    expect(await refusal(text)).toContain(message);
  });

  test.each([
    // Numbers that are none, or too large for a number.
    [
      "data: mnist\nepochs: .nan",
      ["/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given NaN"],
    ],
    [
      "data: mnist\nclipNorm: -.inf",
      ["/mine.yaml:2: clipNorm: must be a number above 0 and of at most 1000000, given -Infinity"],
    ],
    [
      "data: mnist\nepochs: [.inf, 1]",
      ["/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given [Infinity,1]"],
    ],
    [
      "data: mnist\nepochs: 1e400",
      ["/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given Infinity"],
    ],
    [
      "data: mnist\nepochs: 99999999999999999999",
      ["/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given 100000000000000000000"],
    ],
    // What does not fit to a value that is wrong by itself is no second fault.
    ["data: mnist\nepochs: -3", ["/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given -3"]],
    [
      "data: mnist\nbatchSize: -3\naccumulate: 2",
      ["/mine.yaml:2: batchSize: must be a whole number from 1 to 65536, given -3"],
    ],
    [
      "data: mnist\nbatchSizePerRank: x",
      ['/mine.yaml:2: batchSizePerRank: must be a whole number from 1 to 65536, given "x"'],
    ],
    [
      "data: mnist\nbatchSize: 64\nbatchSizePerRank: 32",
      [
        "/mine.yaml:3: batchSizePerRank: is given beside batchSize, which says how many images all processes have together: " +
          "leave one of them out",
      ],
    ],
    [
      "data: mnist\ndevice: cuda\nsyncBatchNorm: true",
      ["/mine.yaml:3: syncBatchNorm: is for the CPU: leave it out, or take device: cpu"],
    ],
    [
      "data: mnist\naugment: {mixup: {probability: 2}}",
      ["/mine.yaml:2: augment.mixup.probability: must be a number from 0 to 1, given 2"],
    ],
    // Quotes too many, too few.
    [
      "data: mnist\nepochs: '3'",
      ['/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given "3"; write it without quotes'],
    ],
    ["data: mnist\ntitle: 3", ['/mine.yaml:2: title: must be text, given 3; write it with quotes, "3"']],
    [
      "data: mnist\nepochs: 1_000",
      ['/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given "1_000"'],
    ],
    [
      "data: mnist\nepochs: 1:30",
      ['/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given "1:30"'],
    ],
    ["data: mnist\naugment: {flip: yes}", ['/mine.yaml:2: augment.flip: must be true or false, given "yes"']],
    [
      `data: mnist\ntitle: ${"k".repeat(300)}`,
      [`/mine.yaml:2: title: must be text of at most 200 characters, given "${"k".repeat(56)}...`],
    ],
    // Keys.
    [
      "data: mnist\nstudent.hardWeight: 0.5",
      ["/mine.yaml:2: student.hardWeight: unknown key; write a mapping, student: { hardWeight: … }"],
    ],
    ["data: mnist\nEpochs: 3", ['/mine.yaml:2: Epochs: unknown key; did you mean "epochs"?']],
    ["data: mnist\r\nepoch: 3\r\n", ['/mine.yaml:2: epoch: unknown key; did you mean "epochs"?']],
    ["\ufeffdata: mnist\nepoch: 3", ['/mine.yaml:2: epoch: unknown key; did you mean "epochs"?']],
    ["data: mnist\n\ufeffepochs: 3", ['/mine.yaml:2: "\\ufeffepochs": unknown key; did you mean "epochs"?']],
    ['data: mnist\n"epoch\\ns": 3', ['/mine.yaml:2: "epoch\\ns": unknown key; did you mean "epochs"?']],
  ])("%j, and says no more", async (text, messages) => {
    expect((await refusal(text)).split("\n")).toEqual(messages);
  });

  test("a key without a name is shown, and has its line", async () => {
    for (const key of ["~", "''"])
      expect(await refusal(`data: mnist\n${key}: 3`)).toMatch(
        /^\/mine\.yaml:2: "": unknown key; known here: title/,
      );
  });

  test("of thousands of problems some are told, and how many more there are", async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}: 1`).join("\n");
    const lines = (await refusal(`data: mnist\n${keys}`)).split("\n");
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe("and 980 more");
  });

  test("all that is wrong at once, a line each", async () => {
    expect((await refusal("data: mnist\nepochs: x\nsede: 1")).split("\n")).toEqual([
      '/mine.yaml:2: epochs: must be a whole number from 1 to 100000, given "x"',
      '/mine.yaml:3: sede: unknown key; did you mean "seed"?',
    ]);
  });

  test("an override is named instead of the file", async () => {
    expect(await refusal("data: mnist", ["student.hardWeight=much"])).toBe(
      "--set student.hardWeight=much: student.hardWeight: must be a number from 0 to 1000000 or a list or a mapping of " +
        'from, to, given "much"',
    );
    expect(await refusal("data: mnist", ["epoch=3"])).toBe(
      '--set epoch=3: epoch: unknown key; did you mean "epochs"?',
    );
  });
});

describe("what does not fit together is refused before any work", () => {
  test.each([
    ["data: mnist\npatriarch: {k: 11}", "patriarch.k: must be at most 10, the number of classes, given 11"],
    ["data: {name: cifar100, labels: coarse}\npatriarch: {k: 21}", "patriarch.k: must be at most 20"],
    [
      "data: mnist\npatriarch: {k: 5, primaryScore: 0.1}",
      "patriarch.primaryScore: primaryScore 0.1 is outside the useful range",
    ],
    [
      "data: mnist\npatriarch: {k: 5, hardWeight: 0.9}",
      "patriarch.hardWeight: hardWeight 0.9 is outside the useful range",
    ],
    [
      "data: mnist\npatriarch: {hardWeight: 0.4, primaryScore: 0.8}",
      "patriarch: give primaryScore or hardWeight, not both",
    ],
    ["data: {name: mnist, labels: coarse}", "data.labels: only cifar100 and synthetic have this, not mnist"],
    [
      "data: mnist\npatriarch: distillation",
      "patriarch: distillation learns from a teacher, and before the patriarch",
    ],
    [
      "data: mnist\npatriarch: {method: strict, k: 3}",
      "patriarch.k: only top-score-difference and top-k-distillation have this, not strict",
    ],
    [
      "data: mnist\noptimizer: {kind: adamw, momentum: 0.9}",
      "optimizer.momentum: only sgd has this, not adamw",
    ],
    ["data: mnist\noptimizer: {nesterov: true, momentum: 0}", "optimizer.nesterov: needs a momentum above 0"],
    ["data: mnist\nstudent: {hardWeight: 0, softWeight: 0}", "student: hardWeight and softWeight are both 0"],
    [
      "data: mnist\nstudent: {hardWeight: [1, 0], softWeight: [1, 0]}",
      "student: hardWeight and softWeight are both 0: there is nothing to learn from, in generation 2",
    ],
    [
      "data: mnist\nstudent: {temperature: 2, teacherTemperature: 2}",
      "student: give temperature or teacherTemperature, not both",
    ],
    [
      "data: mnist\nstudent: {method: mean-of-teachers, generations: [1]}",
      "student.generations: must list generation 0",
    ],
    ["data: mnist\nstudent: {method: top-k-distillation, k: 11}", "student.k: must be at most 10"],
    [
      "data: mnist\npatriarch: mean-of-teachers",
      "patriarch: mean-of-teachers learns from a teacher, and before the patriarch there is none",
    ],
    [
      "data: mnist\nepochs: 3\nschedule: {kind: cosine, warmupEpochs: 3}",
      "schedule.warmupEpochs: must be less than the 3 epochs",
    ],
    [
      "data: mnist\nepochs: 3\nschedule: {kind: multi-step, milestones: [2, 4]}",
      "schedule.milestones: must grow and stay below the 3 epochs, given [2,4]",
    ],
  ])("%j", async (text, message) => {
    expect(await refusal(text)).toContain(message);
  });
});

test("a recipe that is not there gets the nearest name", async () => {
  await expect(loadRecipe("quikstart")).rejects.toThrow(
    'quikstart: neither a recipe nor a file; did you mean "quickstart"?',
  );
  await expect(loadRecipe("/nowhere/at/all.yaml")).rejects.toThrow(/the recipes are cifar100-densenet100, /);
  await expect(loadRecipe(folder)).rejects.toThrow(/not a regular file/);
});

test("code may name its own images and network", () => {
  expect(resolveRecipe({ data: "my-images", model: "my-net" }).model).toBe("my-net");
  expect(() => resolveRecipe({ data: "mnist", epochs: -1 })).toThrow(
    "recipe: epochs: must be a whole number",
  );
});

test("a bare name stands for a member of a family with its defaults", () => {
  const recipe = resolveRecipe({
    data: "mnist",
    patriarch: "strict",
    optimizer: "adamw",
    schedule: "cosine",
  });
  expect(recipe.patriarch).toEqual({ method: "strict" });
  expect(recipe.optimizer).toMatchObject({ kind: "adamw", learningRate: 0.001 });
  expect(recipe.schedule).toEqual({ kind: "cosine", finalFraction: 0, warmupEpochs: 0 });
});

test("augmentation follows what a data set's labels survive, unless it is asked for", () => {
  const augmentOf = (input: object) => resolveRecipe({ data: "mnist", ...input }).augment;
  expect(augmentOf({})).toEqual({ crop: 4, flip: false });
  expect(augmentOf({ data: "cifar10" })).toEqual({ crop: 4, flip: true });
  expect(augmentOf({ augment: { flip: true, crop: 2 } })).toEqual({ crop: 2, flip: true });
});

test("mixing is absent unless it is asked for, and fills in which batches are mixed", () => {
  const augmentOf = (augment: object) => resolveRecipe({ data: "cifar10", augment }).augment;
  const base = { crop: 4, flip: true };
  expect(augmentOf({ mixup: {} })).toEqual({ ...base, mixup: { alpha: 1, probability: 1 } });
  expect(augmentOf({ cutmix: { alpha: 0.5, probability: 0.3 } })).toEqual({
    ...base,
    cutmix: { alpha: 0.5, probability: 0.3 },
  });
  expect(augmentOf({ mixup: { alpha: 0.2 }, cutmix: {} })).toEqual({
    ...base,
    mixup: { alpha: 0.2, probability: 0.5 },
    cutmix: { alpha: 1, probability: 0.5 },
  });
});

test("a policy is absent unless it is asked for, by name or with options", () => {
  const policyOf = (policy: string | { name: string }) =>
    resolveRecipe({ data: "cifar10", augment: { policy } }).augment.policy;
  expect(policyOf("randaugment")).toEqual({ name: "randaugment", operations: 2, magnitude: 9 });
  expect(policyOf({ name: "trivialaugment" })).toEqual({ name: "trivialaugment" });
});

test("erasing is absent unless it is asked for", () => {
  const { augment } = resolveRecipe({ data: "cifar10", augment: { erase: { fill: "noise" } } });
  const erase = { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3], fill: "noise" };
  expect(augment).toEqual({ crop: 4, flip: true, erase });
});

test.each([
  ["policy: randaugmnt", /augment\.policy: .*did you mean "randaugment"/],
  ["policy: { name: trivialaugment, magnitude: 3 }", /only randaugment has this, not trivialaugment/],
  [
    "policy: { name: randaugment, magnitude: 40 }",
    /augment\.policy\.magnitude: must be a whole number from 0 to 30/,
  ],
  ["erase: { area: [0.3, 0.1] }", /augment\.erase\.area: must be two numbers, the smaller first/],
  ["erase: { aspect: [0, 1] }", /augment\.erase\.aspect\.0: must be a number above 0/],
  ["erase: { aspect: [1] }", /augment\.erase\.aspect: must be a list of 2, given \[1\]/],
  ["erase: { fill: black }", /augment\.erase\.fill: must be one of "zero", "noise"/],
  ["mixup: { alpha: 0 }", /augment\.mixup\.alpha: must be a number above 0/],
  ["mixup: { beta: 1 }", /augment\.mixup\.beta: unknown key/],
  [
    "mixup: { probability: 0.7 }, cutmix: {}",
    /augment\.mixup\.probability: is 0\.7, and that of cutmix 0\.5/,
  ],
  ["mixup: text", /augment\.mixup: must be a mapping of alpha, probability/],
])("augment: { %s } is refused by the key", async (augment, message) => {
  expect(await refusal(`data: cifar10\naugment: { ${augment} }`)).toMatch(message);
});

test("a method may be given as a value, alone or beside its options", () => {
  const mine = defineMethod({
    name: "mine",
    summary: "",
    formula: "",
    terms: { hard: "" },
    options: (z) => ({ weight: z.number().min(0).default(3) }),
    loss: (input) => methods.strict.loss(input, {}),
  });
  for (const patriarch of [mine, { method: mine }]) {
    expect(resolveRecipe({ data: "mnist", patriarch }).patriarch).toEqual({ method: "mine", weight: 3 });
  }
  const input = { data: "mnist", patriarch: { method: mine, weight: 2 } };
  const { recipe, library } = readRecipe(input);
  expect(recipe.patriarch).toEqual({ method: "mine", weight: 2 });
  expect(library.get("method", "mine")).toBe(mine);
  expect(() => resolveRecipe({ ...input, patriarch: { method: mine, weight: -1 } })).toThrow(
    "patriarch.weight: must be a number of at least 0, given -1",
  );
  const impostor = { ...mine, name: "strict" };
  expect(() => resolveRecipe({ data: "mnist", patriarch: impostor })).toThrow('two methods called "strict"');
});

test("the number of classes is known where a name tells it", () => {
  const count = (data: unknown) => classCount(resolveRecipe({ data, patriarch: "strict" }).data);
  expect(count("cifar100")).toBe(100);
  expect(count({ name: "cifar100", labels: "coarse" })).toBe(20);
  expect(count({ name: "synthetic", classes: 12, labels: "coarse" })).toBe(3);
  expect(count("my-images")).toBeUndefined();
});

test("whatever it is given, it resolves or says what is wrong", () => {
  const junk = fc.anything({
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
    withSparseArray: true,
  });
  const keys = fc.constantFrom(
    "data",
    "model",
    "patriarch",
    "student",
    "schedule",
    "epochs",
    "kind",
    "k",
    "__proto__",
  );
  const mapping = fc.dictionary(keys, fc.oneof(junk, fc.dictionary(keys, junk)));
  fc.assert(
    fc.property(fc.oneof(junk, mapping), (input) => {
      try {
        resolveRecipe(input);
      } catch (error) {
        expect(error).toBeInstanceOf(RecipeError);
        expect((error as Error).message).toMatch(/^recipe: ./);
      }
    }),
    { numRuns: 500 },
  );
});

test("a batch that is given for each process is that of all where their number is known", () => {
  const plain = resolveRecipe({ data: "mnist" });
  expect([plain.batchSize, "batchSizePerRank" in plain, "syncBatchNorm" in plain]).toEqual([
    128,
    false,
    false,
  ]);
  const each = resolveRecipe({ data: "mnist", batchSizePerRank: 32 });
  expect(resolveRecipe(each)).toEqual(each);
  expect(recipeForRanks(each, 4)).toEqual({ ...plain, batchSize: 128 });
  expect(recipeForRanks(each, 1)).toEqual({ ...plain, batchSize: 32 });
  expect(recipeForRanks(plain, 4)).toEqual(plain);
});
