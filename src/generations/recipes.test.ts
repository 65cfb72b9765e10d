/** The recipes that come with Lyceum: that they are the trainings of their sources, and that they train. */
import { describe, expect, it } from "vitest";
import { builtIn, listRecipes, loadRecipe } from "../recipe/index.js";
import { scheduleFor } from "./learner.js";
import { expectTwoSteps } from "./testing/two-steps.js";

/** What the sources say: the rate by epoch, each with the epoch that it begins with. */
const sources = {
  // He et al. (2016), section 4.2, in epochs as bearpaw/pytorch-classification has it.
  resnet: {
    epochs: 164,
    batchSize: 128,
    rates: [
      [0, 0.1],
      [81, 0.01],
      [122, 0.001],
    ],
    optimizer: { nesterov: false, weightDecay: 1e-4 },
  },
  // Zagoruyko and Komodakis (2016), section 3, and the authors' train_cifar.sh.
  wide: {
    epochs: 200,
    batchSize: 128,
    rates: [
      [0, 0.1],
      [60, 0.02],
      [120, 0.004],
      [160, 0.0008],
    ],
    optimizer: { nesterov: true, weightDecay: 5e-4 },
  },
  // Kim et al. (2021) and PS-KD's main.py.
  preAct: {
    epochs: 300,
    batchSize: 128,
    rates: [
      [0, 0.1],
      [150, 0.01],
      [225, 0.001],
    ],
    optimizer: { nesterov: true, weightDecay: 5e-4 },
  },
  // Huang et al. (2017), section 4.2.
  dense: {
    epochs: 300,
    batchSize: 64,
    rates: [
      [0, 0.1],
      [150, 0.01],
      [225, 0.001],
    ],
    optimizer: { nesterov: true, weightDecay: 1e-4 },
  },
} as const;

describe("the recipes of the paper's family", () => {
  it.each([
    ["cifar100-resnet20", "resnet20", sources.resnet],
    ["cifar100-resnet32", "resnet32", sources.resnet],
    ["cifar100-resnet56", "resnet56", sources.resnet],
    ["cifar100-resnet110", "resnet110", sources.resnet],
    ["cifar100-wrn-28-10", "wrn-28-10", sources.wide],
    ["cifar100-preact-resnet18", "preact-resnet18", sources.preAct],
    ["cifar100-densenet100", "densenet-bc-100-12", sources.dense],
    ["cifar100-densenet190", "densenet-bc-190-40", sources.dense],
  ])("%s trains five generations as its source says", async (name, model, source) => {
    const recipe = await loadRecipe(name);
    const { epochs, batchSize, rates, optimizer } = source;
    expect(recipe).toMatchObject({ data: { name: "cifar100" }, model, generations: 5, epochs, batchSize });
    expect(recipe.optimizer).toMatchObject({ kind: "sgd", momentum: 0.9, decayNorm: true, ...optimizer });
    expect(recipe.augment).toEqual({ crop: 4, flip: true });
    const stepsPerEpoch = Math.ceil(50_000 / batchSize);
    const rateAt = scheduleFor({ recipe, library: builtIn }, 0, stepsPerEpoch);
    for (const [i, [epoch, rate]] of rates.entries()) {
      expect(rateAt(epoch * stepsPerEpoch)).toBeCloseTo(rate, 12);
      const last = (rates[i + 1]?.[0] ?? epochs) * stepsPerEpoch - 1;
      expect(rateAt(last)).toBeCloseTo(rate, 12);
    }
  });

  it.each(["resnet18", "resnet50"])("imagenet-%s trains as He et al. did", async (model) => {
    const recipe = await loadRecipe(`imagenet-${model}`);
    expect(recipe).toMatchObject({
      data: { name: "imagenet" },
      model,
      generations: 5,
      epochs: 90,
      batchSize: 256,
    });
    expect(recipe.optimizer).toMatchObject({
      kind: "sgd",
      momentum: 0.9,
      nesterov: false,
      weightDecay: 1e-4,
    });
    expect(recipe.augment).toEqual({
      crop: 0,
      flip: true,
      resizedCrop: { area: [0.08, 1], aspect: [3 / 4, 4 / 3] },
    });
    const rateAt = scheduleFor({ recipe, library: builtIn }, 0, 5005);
    expect([0, 29, 30, 59, 60, 89].map((epoch) => Number(rateAt(epoch * 5005).toPrecision(6)))).toEqual([
      ...[0.1, 0.1, 0.01, 0.01, 0.001, 0.001],
    ]);
  });

  it("say in a short line what they train", async () => {
    for (const { name, description } of await listRecipes()) {
      expect(description.length, name).toBeLessThanOrEqual(72);
      expect(description, name).toMatch(/^\S.*\S$/);
    }
  });
});

describe("two steps of a patriarch and of its first student", () => {
  // The others are in recipes.slow.test.ts.
  it.each([
    ["quickstart", {}],
    ["fashion-mnist-resnet20", {}],
    ["cifar100-resnet20", {}],
    ["cifar100-resnet32", { batchSize: 32 }],
    ["cifar100-resnet56", { batchSize: 32 }],
  ])("of %s", (name, options) => expectTwoSteps(name, options));
});
