import { describe, expect, it } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { defineSchedule } from "../optim/index.js";
import { builtIn, type RecipeInput, readRecipe, resolveRecipe } from "../recipe/index.js";
import { epochsOf, freshModel } from "./experiment.js";
import { prepareImages } from "./images.js";
import { optimizerFor, scheduleFor } from "./learner.js";

const recipeOf = (input: Partial<RecipeInput> = {}) =>
  resolveRecipe({ data: "synthetic", model: "resnet8", epochs: 8, ...input });

const images = { classes: 4, channels: 3, height: 12, width: 12 };
const modelOf = (recipe: ReturnType<typeof recipeOf>, generation = 0) =>
  freshModel({ recipe, library: builtIn, images, model: undefined }, generation);

describe("freshModel", () => {
  const weights = (seed: number, generation: number) =>
    modelOf(recipeOf({ seed }), generation).parameters()[0]!.tolist();

  it("draws other weights for each seed and generation, the same for the same", () => {
    expect(weights(1, 0)).toEqual(weights(1, 0));
    expect(weights(1, 1)).not.toEqual(weights(1, 0));
    expect(weights(2, 0)).not.toEqual(weights(1, 0));
  });

  it("lays the network out for speed", () => {
    expect(modelOf(recipeOf()).parameters()[0]!.isContiguous("channelsLast")).toBe(true);
  });
});

describe("scheduleFor", () => {
  const rates = (schedule?: RecipeInput["schedule"]) => {
    const recipe = recipeOf({ ...(schedule && { schedule }), optimizer: { learningRate: 1 } });
    const at = scheduleFor({ recipe, library: builtIn }, 0, 10);
    return (...steps: number[]) => steps.map((step) => Number(at(step).toPrecision(12)));
  };

  it("drops at fractions of the training and at whole epochs", () => {
    const expected = [1, 1, 0.1, 0.1, 0.01, 0.01];
    expect(rates()(0, 39, 40, 59, 60, 79)).toEqual(expected);
    const milestones = [1, 0.5];
    expect(rates({ kind: "multi-step", milestones })(0, 9, 10, 39, 40, 79)).toEqual(expected);
  });

  it("reaches the rate asked for at the warm-up's end, then falls over what is left", () => {
    const recipe = recipeOf({
      epochs: 10,
      optimizer: { learningRate: 0.1 },
      schedule: { kind: "cosine", warmupEpochs: 5 },
    });
    const all = Array.from({ length: 100 }, (_, step) =>
      scheduleFor({ recipe, library: builtIn }, 0, 10)(step),
    );
    expect(Math.max(...all)).toBe(0.1);
    expect(all.indexOf(0.1)).toBe(49);
    for (let step = 1; step < 50; step++) expect(all[step]).toBeGreaterThan(all[step - 1]!);
    for (let step = 51; step < 100; step++) expect(all[step]).toBeLessThan(all[step - 1]!);
  });

  it("has the peak of one cycle where it is asked for", () => {
    const all = rates({ kind: "one-cycle", peakAt: 0.25 })(...Array(80).keys());
    expect(all.indexOf(Math.max(...all))).toBe(19);
    expect(all[19]).toBe(1);
  });
});

it.each([
  [true, 0],
  // ResNet-8 has eight vectors that are not 0: the scales of seven batch norms, and the classifier's bias.
  [false, 8],
])("with decayNorm %j leaves %i vectors as they are", (decayNorm, spared) => {
  const recipe = recipeOf({ optimizer: { learningRate: 1, momentum: 0, weightDecay: 0.5, decayNorm } });
  const model = modelOf(recipe);
  const optimizer = optimizerFor(recipe, builtIn, model);
  const norms = () => [...model.namedParameters()].map(([, p]) => [p.shape.length, p.norm().item()] as const);
  for (const parameter of model.parameters()) parameter.grad = parameter.detach().mul(0);
  const before = norms();
  optimizer.step();
  const still = norms().filter(([, norm], i) => norm === before[i]![1] && norm > 0);
  expect(still.map(([dimensions]) => dimensions)).toEqual(Array(spared).fill(1));
});

describe("the schedule of an early-stopped patriarch", () => {
  const early = (schedule: string, kind: string, generation = 0) => {
    const patriarch = { method: "early-stopped", fraction: 0.5, schedule };
    const recipe = recipeOf({ patriarch, schedule: { kind }, optimizer: { learningRate: 1 } });
    const at = scheduleFor({ recipe, library: builtIn }, generation, 10);
    return Array.from({ length: epochsOf({ recipe, library: builtIn }, generation) * 10 }, (_, s) => at(s));
  };

  it("is gone through whole in half the epochs, or cut off after them; its students' is the recipe's", () => {
    const whole = early("compressed", "cosine", 1);
    expect(whole).toHaveLength(80);
    expect(early("compressed", "cosine")).toEqual(whole.filter((_, step) => step % 2 === 0));
    expect(early("cut", "cosine")).toEqual(whole.slice(0, 40));
    expect(early("cut", "multi-step").at(-1)).toBe(1);
    expect(early("compressed", "multi-step").at(-1)).toBeCloseTo(0.01, 12);
  });

  it("is asked for whole steps only", () => {
    const asked: number[] = [];
    const schedule = defineSchedule({
      name: "mine",
      summary: "",
      options: () => ({}),
      create: () => (step) => asked.push(step),
    });
    const { recipe, library } = readRecipe({
      data: "synthetic",
      epochs: 10,
      patriarch: { method: "early-stopped", fraction: 0.3 },
      schedule: schedule as never,
    });
    const at = scheduleFor({ recipe, library }, 0, 7);
    for (let step = 0; step < 21; step++) at(step);
    expect(asked[0]).toBe(0);
    expect(asked.at(-1)).toBeLessThan(70);
    expect(asked.every(Number.isInteger)).toBe(true);
    expect(new Set(asked).size).toBe(21);
  });
});

describe("prepareImages", () => {
  it("refuses to hold out no image at all", async () => {
    const dataset = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 8 });
    const recipe = resolveRecipe({ data: { name: "synthetic", heldOut: 0.001 }, model: "resnet8" });
    await expect(prepareImages(recipe, { dataset })).rejects.toThrow(
      "data.heldOut is 0.001: of 80 training images that is none",
    );
  });

  it("refuses images whose labels do not fit, the test images' before any training", async () => {
    const { train, test, ...rest } = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 8 });
    const short = { ...test, labels: test.labels.slice(1) };
    await expect(prepareImages(recipeOf(), { dataset: { ...rest, train, test: short } })).rejects.toThrow(
      "the images of synthetic test: there are 8, but 7 labels",
    );
  });

  it("counts the steps that the loader takes, none of them with a lone image", async () => {
    const dataset = makeSynthetic({ classes: 4, size: 8, trainCount: 33, testCount: 8 });
    const { stepsPerEpoch, trainLoader } = await prepareImages(recipeOf({ batchSize: 16 }), { dataset });
    using loader = trainLoader(0);
    expect(loader.stepsPerEpoch).toBe(stepsPerEpoch);
    const sizes: number[] = [];
    for await (const batch of loader.epoch(0)) {
      sizes.push(batch.indices.length);
      batch.dispose();
    }
    expect(sizes).toEqual([16, 17]);
  });
});
