/** Tests that each mistake in a program's definitions is reported by the name of the definition. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { defineDataset, makeSynthetic } from "../data/index.js";
import { crossEntropy } from "../losses/index.js";
import { defineMethod, type LossInput, type Method } from "../methods/index.js";
import { defineModel, type ModelOptions } from "../models/index.js";
import * as nn from "../nn/index.js";
import { defineOptimizer, defineSchedule } from "../optim/index.js";
import { type RecipeInput, resolveRecipe } from "../recipe/index.js";
import type { Tensor } from "../torch/index.js";
import { Interrupted, trainGenerations } from "./index.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-wrong-"));
  return () => rmSync(root, { recursive: true });
});

const small = { classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20 } as const;
const recipe = {
  data: { name: "synthetic", ...small },
  model: "resnet8",
  patriarch: { k: 3 },
  generations: 2,
  epochs: 1,
  batchSize: 16,
  threads: 1,
} satisfies RecipeInput;

const hard = ({ logits, labels }: LossInput) => crossEntropy(logits, labels);
/** Makes a method as JavaScript may write it, with some of its properties replaced. */
const mine = (changes: object) =>
  defineMethod({
    name: "mine",
    summary: "",
    formula: "",
    terms: { hard: "" },
    loss: (input: LossInput) => ({ loss: hard(input), terms: { hard: hard(input) } }),
    ...changes,
  } as unknown as Method);
const train = (changes: object) => trainGenerations({ ...recipe, student: mine(changes) });

test.each([
  [() => [-1], "mine asks for generation -1 as a teacher of generation 1"],
  [() => [0, 0.5], "mine asks for generation 0.5"],
  [() => [Number.NaN], "mine asks for generation NaN"],
  [() => [undefined], "mine asks for generation undefined"],
  [() => new Set([0]), "mine must give back a list"],
  [() => "0", "mine must give back a list"],
  [
    function* () {
      while (true) yield 0;
    },
    "mine must give back a list",
  ],
])("teachers %s", async (teachers, message) => {
  await expect(train({ teachers })).rejects.toThrow(message);
});

test("one teacher may be asked for twice, and no list is no teacher", async () => {
  const answers: number[] = [];
  await train({
    teachers: () => [0, 0],
    loss: (input: LossInput) => {
      answers.push(input.teachers.length);
      return { loss: hard(input), terms: {} };
    },
  });
  expect(new Set(answers)).toEqual(new Set([2]));
  await expect(train({ teachers: () => undefined })).resolves.toBeDefined();
});

test.each<[string, (input: LossInput) => unknown, string]>([
  ["nothing", () => undefined, "the loss of the method mine must give back { loss, terms }"],
  ["a tensor alone", hard, "the loss of the method mine must give back { loss, terms }"],
  ["a promise", async (input) => ({ loss: hard(input), terms: {} }), "must give back { loss, terms }"],
  ["no terms", (input) => ({ loss: hard(input) }), "must give back { loss, terms }"],
  ["a number", () => ({ loss: 1, terms: {} }), "must give back { loss, terms }"],
  [
    "a loss for each image",
    ({ logits }) => ({ loss: logits, terms: {} }),
    "a scalar as loss, got shape [16, 5]",
  ],
  [
    "a term for each image",
    (input) => ({ loss: hard(input), terms: { mean: input.logits } }),
    "a scalar as mean, got shape [16, 5]",
  ],
  [
    "a term that is a number",
    (input) => ({ loss: hard(input), terms: { mean: 1 } }),
    "a tensor as mean, got number",
  ],
])("a loss that gives back %s", async (_, loss, message) => {
  await expect(train({ loss })).rejects.toThrow(message);
});

test("terms that are others in some steps", async () => {
  let steps = 0;
  const loss = (input: LossInput) => ({
    loss: hard(input),
    terms: steps++ === 0 ? { one: hard(input) } : { one: hard(input), two: hard(input) },
  });
  await expect(train({ loss })).rejects.toThrow("the same in every step, got one, two after one");
});

test("terms with names of JavaScript's own are names like others", async () => {
  const loss = (input: LossInput) => ({
    loss: hard(input),
    terms: { ["__proto__"]: hard(input), constructor: hard(input) },
  });
  const directory = join(root, "run");
  await trainGenerations({ ...recipe, student: mine({ loss }) }, { directory });
  const last = readFileSync(join(directory, "metrics.jsonl"), "utf8").trim().split("\n").at(-1)!;
  expect(Object.keys(JSON.parse(last).terms)).toEqual(["__proto__", "constructor"]);
});

test.each(["method", "constructor", "toString", "__proto__", "two words", ""])(
  "an option called %j",
  (key) => {
    const options = (z: typeof import("zod").z) => ({ [key]: z.number().default(1) });
    const message = `mine has an option called ${JSON.stringify(key)}`;
    expect(() => resolveRecipe({ ...recipe, student: mine({ options }) })).toThrow(message);
  },
);

test("options that are no schemas, or none that JSON knows", () => {
  const bare = mine({ options: () => ({ weight: 5 }) });
  expect(() => resolveRecipe({ ...recipe, student: bare })).toThrow("mine's option weight must be a schema");
  const dated = mine({ options: (z: typeof import("zod").z) => ({ since: z.date() }) });
  const wrong = { ...recipe, epochs: "ten", student: { method: dated, since: new Date() } };
  expect(() => resolveRecipe(wrong)).toThrow('epochs: must be a whole number from 1 to 100000, given "ten"');
});

test("a data set's options: needed ones are asked for by name, and common keys are not its own", () => {
  const set = (options: (z: typeof import("zod").z) => Record<string, never>) =>
    defineDataset({
      name: "boxes",
      summary: "",
      augment: { crop: true, flip: true },
      options,
      from: { make: () => Promise.reject(new Error("not made here")) },
    });
  const sized = set((z) => ({ size: z.int() }) as never);
  expect(() => resolveRecipe({ data: sized })).toThrow("data.size: boxes needs this option");
  expect(() => resolveRecipe({ data: { name: sized } })).toThrow(
    "data.size: is missing; must be a whole number",
  );
  const limited = set((z) => ({ limit: z.int() }) as never);
  expect(() => resolveRecipe({ data: limited })).toThrow('boxes has an option called "limit"');
});

test("what only looks like a definition is none", () => {
  const looks = { kind: "method", name: "looks" };
  expect(() => resolveRecipe({ ...recipe, student: looks })).toThrow("student.kind: unknown key");
});

test("resume is true, false or auto, and nothing that looks like it", async () => {
  for (const resume of ["true", "yes", 1, null]) {
    const options = { directory: join(root, "run"), resume: resume as never };
    await expect(trainGenerations(recipe, options)).rejects.toThrow('resume must be true, false or "auto"');
  }
});

test("a run goes on with definitions that stand in the recipe, as it began", async () => {
  const directory = join(root, "run");
  const input = { ...recipe, student: { method: mine({}) } };
  const run = await trainGenerations(input, { directory });
  for (const resume of [true, "auto"] as const)
    expect(await trainGenerations(input, { directory, resume })).toMatchObject({
      generations: run.generations,
    });
});

test("what is wrong is told, though somebody asked to stop; a stop while images are drawn is one", async () => {
  const signal = AbortSignal.abort();
  const other = { ...recipe, data: "nowhere", model: "resnet8" };
  await expect(trainGenerations(other, { signal })).rejects.toThrow('the images "nowhere"');
  await expect(trainGenerations(recipe, { signal })).rejects.toBeInstanceOf(Interrupted);
});

/** The least of a network, whose logits a function may change. */
class Least extends nn.Module {
  private readonly fc: nn.Linear;
  constructor(
    { classes, generator }: ModelOptions,
    private readonly change: (logits: Tensor) => Tensor = (logits) => logits,
  ) {
    super();
    this.fc = new nn.Linear(1, classes, { generator });
  }
  override forward(images: Tensor): Tensor {
    return this.change(this.fc.forward(images.mean([2, 3])));
  }
}
const once: nn.Module[] = [];

test.each<[string, (options: ModelOptions) => unknown, string]>([
  ["nothing", () => undefined, 'the network "mine" must be made as a Module, got undefined'],
  ["a promise", async (options) => new Least(options), "must be made as a Module, got object"],
  [
    "logits for more classes",
    (options) => new Least({ ...options, classes: 7 }),
    "5 logits, one a class, got shape [16, 7]",
  ],
  [
    "one number",
    (options) => new Least(options, (logits) => logits.mean()),
    "5 logits, one a class, got shape []",
  ],
  [
    "no logits",
    (options) => new Least(options, () => undefined as never),
    "must give back a tensor, got undefined",
  ],
  [
    "the same network each time",
    (options) => {
      if (once.length === 0) once.push(new Least(options));
      return once[0];
    },
    "make a new one each time",
  ],
])("a network that is or gives %s", async (_, create, message) => {
  const model = defineModel({
    name: "mine",
    summary: "",
    construction: "",
    create: create as () => nn.Module,
  });
  await expect(trainGenerations({ ...recipe, model })).rejects.toThrow(message);
});

test.each<[string, () => unknown, string]>([
  ["nothing", () => undefined, "the data set mine lacks train and test and classNames"],
  ["no test images", () => ({ ...makeSynthetic(small), test: undefined }), "the data set mine lacks test"],
  [
    "classes without names",
    () => ({ ...makeSynthetic(small), classNames: [1, 2, 3, 4, 5] }),
    "lacks classNames",
  ],
])("a data set that makes %s", async (_, make, message) => {
  const augment = { crop: false, flip: false };
  const data = defineDataset({ name: "mine", summary: "", augment, from: { make: make as () => never } });
  await expect(trainGenerations({ ...recipe, data })).rejects.toThrow(message);
});

test("an optimiser that is none, and a schedule without rates", async () => {
  const optimizer = defineOptimizer({
    name: "mine",
    summary: "",
    options: (z) => ({ learningRate: z.number().default(0.1) }),
    create: () => ({}) as never,
  });
  const train = (input: object) => trainGenerations({ ...recipe, ...input } as RecipeInput);
  await expect(train({ optimizer })).rejects.toThrow(
    "the optimiser mine must be made with a step, got object",
  );
  for (const rate of [Number.NaN, -1, "0.1", undefined]) {
    const schedule = defineSchedule({
      name: "mine",
      summary: "",
      options: () => ({}),
      create: () => () => rate as number,
    });
    await expect(train({ schedule })).rejects.toThrow(
      `the learning rate of step 0 must be a number of 0 or more, got ${rate}`,
    );
  }
});
