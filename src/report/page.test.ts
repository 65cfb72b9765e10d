import { expect, test } from "vitest";
import { type RecipeInput, resolveRecipe } from "../recipe/index.js";
import { page, type ReportData } from "./page.js";

const data: ReportData = {
  run: "mine",
  recipe: resolveRecipe({ data: "synthetic", generations: 1 }),
  summary: {
    format: 2,
    lyceum: "0.1.0",
    title: "a page",
    k: 5,
    generations: [{ generation: 0, role: "patriarch", test: { top1: 0.5 }, trainSeconds: 1, weights: "" }],
    ensembles: {},
    seconds: 1,
  },
  metrics: [
    {
      generation: 0,
      role: "patriarch",
      epoch: 1,
      epochs: 1,
      learningRate: 0.1,
      trainLoss: 2,
      terms: { hard: 2, topScoreDifference: 0.5 },
      trainTop1: 0.3,
      validation: { loss: 1.9, top1: 0.35 },
      imagesPerSecond: 100,
      seconds: 1,
      date: "2026-01-01T00:00:00.000Z",
    },
  ],
  environment: undefined,
  testImages: undefined,
  comparison: undefined,
  examples: "there are no images",
  different: [],
  classes: undefined,
  methodLines: [],
};

test.each([
  [{ crop: 0, flip: false }, "none"],
  [{ crop: 4, flip: true }, "random crops (padding 4), flips"],
  [
    { crop: 0, flip: true, resizedCrop: { area: [0.08, 1], aspect: [3 / 4, 4 / 3] }, jitter: { hue: 0.1 } },
    "random boxes (8.00 % to 100.00 % of the area, 0.75 to 1.33 times as wide as high), colour jitter (hue 0.1), flips",
  ],
  [
    { policy: "trivialaugment", crop: 0, flip: true, cutmix: { alpha: 0.5 } },
    "trivialaugment, flips, CutMix (alpha 0.5, probability 1)",
  ],
  [
    { policy: { name: "randaugment", magnitude: 7 }, crop: 0, flip: false, erase: {}, mixup: {}, cutmix: {} },
    "randaugment (operations 2, magnitude 7), random erasing (probability 0.5, area [0.02,0.33], aspect [0.3,3.3], " +
      "fill &quot;zero&quot;), Mixup (alpha 1, probability 0.5), CutMix (alpha 1, probability 0.5)",
  ],
])("the facts name the random changes of %j", (augment, line) => {
  const images = "resizedCrop" in augment ? { folder: "photos", size: 128 } : "synthetic";
  const recipe = resolveRecipe({ data: images, generations: 1, augment } as RecipeInput);
  if ("resizedCrop" in augment)
    expect(page({ ...data, recipe })).toContain("<dt>images</dt><dd>folder photos, 128 x 128 pixels</dd>");
  const told = /<dt>augmentation<\/dt><dd>(.*?)<\/dd>/.exec(page({ ...data, recipe }));
  expect(told?.[1]).toBe(line);
});

test("the facts hold the lines that are given for the method", () => {
  const lines: [string, string][] = [["teachers", "two <b>generations</b>"]];
  const facts = "<dt>teachers</dt><dd>two &lt;b&gt;generations&lt;/b&gt;</dd>";
  expect(page({ ...data, methodLines: lines })).toContain(facts);
  expect(page(data)).not.toContain("<dt>teachers</dt>");
});

test("loss terms are called as they are described, or by their names with spaces", () => {
  expect(page(data)).toContain("labels (cross-entropy)");
  expect(page(data)).toContain("top score difference");
  const described = page({ ...data, termLabel: (name) => `the term ${name}` });
  expect(described).toContain("the term topScoreDifference");
  expect(described).not.toContain("labels (cross-entropy)");
});

test("validation, where images are held out, is drawn and explained", () => {
  const legend = "cross-entropy, held-out images";
  expect(page(data)).toContain(legend);
  const { validation: _, ...record } = data.metrics[0]!;
  expect(page({ ...data, metrics: [record] })).not.toContain(legend);
});

test("a run without a list of scores by rank is shown too", () => {
  expect(page(data)).toContain("50.00 %");
});

test("a generation that was trained for other epochs than the recipe's is named with them", () => {
  const [generation] = data.summary.generations;
  const trained = (epochs: number) =>
    page({ ...data, summary: { ...data.summary, generations: [{ ...generation!, epochs }] } });
  expect(trained(49)).toContain("164 epochs (patriarch: 49) of batches of 128");
  expect(trained(164)).toContain("164 epochs of batches of 128");
  expect(page(data)).toContain("164 epochs of batches of 128");
});
