import { describe, expect, it } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { type RecipeInput, resolveRecipe } from "../recipe/index.js";
import { prepareImages } from "./images.js";
import { freshModel, optimizerFor, scheduleFor } from "./line.js";

const recipeOf = (input: Partial<RecipeInput> = {}) =>
  resolveRecipe({ data: "synthetic", model: "resnet8", epochs: 8, ...input });

const shape = { classes: 4, channels: 3 };

describe("freshModel", () => {
  const weights = (seed: number, generation: number) =>
    freshModel(recipeOf({ seed }), generation, shape).parameters()[0]!.tolist();

  it("draws other weights for each seed and generation, the same for the same", () => {
    expect(weights(1, 0)).toEqual(weights(1, 0));
    expect(weights(1, 1)).not.toEqual(weights(1, 0));
    expect(weights(2, 0)).not.toEqual(weights(1, 0));
  });

  it("lays the network out for speed", () => {
    expect(freshModel(recipeOf(), 0, shape).parameters()[0]!.isContiguous("channelsLast")).toBe(true);
  });
});

describe("scheduleFor", () => {
  const rates = (schedule: RecipeInput["schedule"]) => {
    const at = scheduleFor(recipeOf({ ...(schedule && { schedule }), optimizer: { learningRate: 1 } }), 10);
    return (...steps: number[]) => steps.map((step) => Number(at(step).toPrecision(12)));
  };

  it("drops at fractions of the training and at whole epochs", () => {
    const expected = [1, 1, 0.1, 0.1, 0.01, 0.01];
    expect(rates(undefined)(0, 39, 40, 59, 60, 79)).toEqual(expected);
    expect(rates({ kind: "multi-step", milestones: [1, 0.5] })(0, 9, 10, 39, 40, 79)).toEqual(expected);
  });

  it("warms up for whole epochs, and falls over the rest", () => {
    const fallen = 0.5 * (1 + Math.cos((Math.PI * 35) / 70));
    expect(rates({ kind: "cosine", warmupEpochs: 1 })(0, 4, 9, 10, 45)).toEqual(
      [0.1, 0.5, 1, 1, fallen].map((rate) => Number(rate.toPrecision(12))),
    );
  });

  it("has the peak of one cycle where it is asked for", () => {
    const all = rates({ kind: "one-cycle", peakAt: 0.25 })(...Array(80).keys());
    expect(all.indexOf(Math.max(...all))).toBe(19);
    expect(all[19]).toBe(1);
  });
});

it.each([
  [true, 0],
  // Of ResNet-8: the scales of seven batch norms (their shifts are 0), and the classifier's bias.
  [false, 8],
])("with decayNorm %j leaves %i vectors as they are", (decayNorm, spared) => {
  const recipe = recipeOf({ optimizer: { learningRate: 1, momentum: 0, weightDecay: 0.5, decayNorm } });
  const model = freshModel(recipe, 0, shape);
  const optimizer = optimizerFor(recipe, model);
  const norms = () => [...model.namedParameters()].map(([, p]) => [p.shape.length, p.norm().item()] as const);
  for (const parameter of model.parameters()) parameter.grad = parameter.detach().mul(0);
  const before = norms();
  optimizer.step();
  const still = norms().filter(([, norm], i) => norm === before[i]![1] && norm > 0);
  expect(still.map(([dimensions]) => dimensions)).toEqual(Array(spared).fill(1));
});

it("refuses to hold out no image at all", async () => {
  const dataset = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 8 });
  const recipe = resolveRecipe({ data: { name: "synthetic", heldOut: 0.001 }, model: "resnet8" });
  await expect(prepareImages(recipe, dataset)).rejects.toThrow(
    "data.heldOut is 0.001: of 80 training images that is none",
  );
});

it("refuses images whose labels do not fit, the test images' before any training", async () => {
  const { train, test, ...rest } = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 8 });
  const short = { ...test, labels: test.labels.slice(1) };
  await expect(prepareImages(recipeOf(), { ...rest, train, test: short })).rejects.toThrow(
    "the images of synthetic test: there are 8, but 7 labels",
  );
});
