/** The classifiers beside scikit-learn's, by fixtures/make.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { accuracyOf } from "./accuracy.js";
import { type Classifier, classifiers, type Fitted } from "./classifiers/index.js";
import { type FeatureSet, labelTensor } from "./feature-set.js";
import { fitScaling } from "./scaling.js";

const judged = JSON.parse(readFileSync(new URL("fixtures/classifiers.json", import.meta.url), "utf8"));
const [svm, logistic, knn] = classifiers;
const CLASSES = 5;

function setOf({ features, labels }: { features: number[][]; labels: number[] }): FeatureSet {
  return { features: torch.tensor(features, { dtype: "float64" }), labels: Int32Array.from(labels) };
}

const raw = { train: setOf(judged.train), test: setOf(judged.test) };
const scale = fitScaling(raw.train.features, "standardise");
const scaled = {
  train: { ...raw.train, features: scale(raw.train.features) },
  test: { ...raw.test, features: scale(raw.test.features) },
};

/** The largest difference of two tables of numbers, as a share of the largest number. */
function difference(a: torch.Tensor, b: number[][]): number {
  const expected = torch.tensor(b, { dtype: "float64" });
  const far = a.to({ dtype: "float64" }).sub(expected).abs().max().item();
  return far / expected.abs().max().item();
}

function top1(fitted: Fitted, { features, labels }: FeatureSet): number {
  return accuracyOf(fitted.scores(features), labels, CLASSES).top1;
}

const ids = (...labels: number[]) => labelTensor(Int32Array.from(labels));

// biome-ignore lint/suspicious/noExplicitAny: what the script wrote
const linearFits: [number, any][] = judged.linear.map((each: { c: number }) => [each.c, each]);

const hasSvm = !svm.missing?.();

describe.skipIf(!hasSvm)("the support vector machine", () => {
  it.each(linearFits)("is scikit-learn's LinearSVC with C = %s", async (c, { svm: primal, svmDual }) => {
    using fitted = await svm.fit(scaled.train, { classes: CLASSES, c, coarseness: 1e-5 });
    expect(difference(fitted.weights!, primal.weights)).toBeLessThan(1e-5);
    expect(difference(fitted.weights!, svmDual.weights)).toBeLessThan(1e-4);
    using usual = await svm.fit(scaled.train, { classes: CLASSES, c });
    expect(Math.abs(top1(usual, scaled.test) - primal.top1)).toBeLessThan(0.003);
  });

  it("gives the same bits each time, and with any start the same minimum", async () => {
    const options = { classes: CLASSES, c: 0.1 };
    using first = await svm.fit(scaled.train, options);
    using again = await svm.fit(scaled.train, options);
    expect(again.weights!.equal(first.weights!)).toBe(true);
    using other = await svm.fit(scaled.train, { classes: CLASSES, c: 10 });
    using fine = await svm.fit(scaled.train, { ...options, coarseness: 1e-6 });
    using warm = await svm.fit(scaled.train, { ...options, coarseness: 1e-6, initial: other });
    expect(difference(warm.weights!, fine.weights!.tolist() as number[][])).toBeLessThan(1e-6);
  });

  it("fits classifiers side by side", async () => {
    const fits = await Promise.all(
      [0.01, 0.1, 0.01, 0.1].map((c) => svm.fit(scaled.train, { classes: CLASSES, c })),
    );
    expect(fits[2]!.weights!.equal(fits[0]!.weights!)).toBe(true);
    expect(fits[3]!.weights!.equal(fits[1]!.weights!)).toBe(true);
    for (const fitted of fits) fitted[Symbol.dispose]();
  });

  const wrong: [string, unknown[], RegExp][] = [
    ["a label out of range", [torch.ones([2, 3]), ids(0, 7), 2, 1], /labels must be in 0..1, got 7/],
    ["a class without images", [torch.ones([2, 3]), ids(0, 0), 2, 1], /class 1 has no images/],
    ["NaN", [torch.full([2, 3], Number.NaN), ids(0, 1), 2, 1], /features must be finite/],
    ["C of 0", [torch.ones([2, 3]), ids(0, 1), 2, 0], /C must be above 0/],
    ["a C that is no number", [torch.ones([2, 3]), ids(0, 1), 2, Number.NaN], /C must be above 0/],
    ["no features", [torch.ones([2, 0]), ids(0, 1), 2, 1], /features must be \[N, D\]/],
    ["labels of floats", [torch.ones([2, 3]), torch.ones([2]), 2, 1], /labels must be int64/],
    [
      "a start of another shape",
      [torch.ones([2, 3]), ids(0, 1), 2, 1, 1, 0.1, torch.ones([2, 3])],
      /initial must be \[2, 4\]/,
    ],
    ["no tolerance", [torch.ones([2, 3]), ids(0, 1), 2, 1, 1, 0], /epsilon must be above 0/],
    ["a bias below 0", [torch.ones([2, 3]), ids(0, 1), 2, 1, -1], /bias must be 0 or more/],
    ["more classes than images", [torch.ones([2, 3]), ids(0, 1), 3, 1], /classes must be in 2..2/],
  ];
  it.each(wrong)("refuses %s", (_, given, message) => {
    expect(() => torch.op("lyceum::linear_svm", ...given)).toThrow(message);
  });
});

describe("the logistic regression", () => {
  it.each(linearFits)(
    "is scikit-learn's multinomial LogisticRegression with C = %s",
    async (c, { logistic: expected }) => {
      using fitted = await logistic.fit(scaled.train, { classes: CLASSES, c, coarseness: 1e-5 });
      expect(difference(fitted.weights!, expected.weights)).toBeLessThan(1e-4);
      using usual = await logistic.fit(scaled.train, { classes: CLASSES, c });
      expect(Math.abs(top1(usual, scaled.test) - expected.top1)).toBeLessThan(0.003);
      using scores = usual.scores(scaled.test.features.narrow(0, 0, 3));
      expect(difference(scores, expected.scores)).toBeLessThan(1e-3);
    },
  );
});

it("the nearest neighbours are scikit-learn's with the same votes", async () => {
  using fitted = await knn.fit(raw.train, { classes: CLASSES, c: 1 });
  expect(top1(fitted, raw.test)).toBeCloseTo(judged.knn.top1, 6);
  const votes = fitted.scores(raw.test.features.narrow(0, 0, 3));
  expect(difference(votes.div(votes.sum([1], true)), judged.knn.scores)).toBeLessThan(1e-4);
});

describe("scaling", () => {
  it("is scikit-learn's StandardScaler, and normalize", () => {
    expect(difference(scaled.test.features.narrow(0, 0, 3), judged.standardised)).toBeLessThan(1e-12);
    const l2 = fitScaling(raw.train.features, "l2")(raw.test.features);
    expect(difference(l2.narrow(0, 0, 3), judged.normalised)).toBeLessThan(1e-12);
  });

  it("makes 0 of features that say nothing, and of images without any", () => {
    const features = torch.tensor([
      [0.1, 1],
      [0.1, 3],
      [0.1, 5],
    ]);
    const scaled = fitScaling(features, "standardise")(features).tolist() as number[][];
    expect(scaled.map(([first]) => first)).toEqual([0, 0, 0]);
    expect(scaled[2]![1]).toBeCloseTo(Math.sqrt(1.5), 12);
    expect(fitScaling(features, "l2")(torch.zeros([1, 2])).tolist()).toEqual([[0, 0]]);
  });
});

it.each(
  classifiers.filter((each) => !each.missing?.()).map((each): [string, Classifier] => [each.name, each]),
)("%s leaves no tensors behind", async (_, classifier) => {
  const use = async () => {
    using fitted = await classifier.fit(scaled.train, { classes: CLASSES, c: 0.1 });
    fitted.scores(scaled.test.features).dispose();
  };
  await use();
  const before = torch.memoryStats().tensors;
  for (let i = 0; i < 3; i++) await use();
  expect(torch.memoryStats().tensors).toBeLessThanOrEqual(before);
});
