import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { accuracyOf } from "./accuracy.js";
import { chooseC } from "./choose-c.js";
import { classifiers } from "./classifiers/index.js";
import { evaluateFeatures } from "./evaluate-features.js";
import type { FeatureSet } from "./feature-set.js";
import { drawShots, stratifiedFolds } from "./splits.js";
import { pairedSpread, spreadOf } from "./spread.js";

const classNames = ["ant", "bee", "cat"];
const usable = classifiers.filter((each) => !("missing" in each && each.missing()));

/** Features around a centre for each class, which are far apart compared with `noise`. */
function drawn(count: number, noise: number, seed: number): FeatureSet {
  const generator = new torch.Generator(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const centres = torch
    .eye(3)
    .mul(3)
    .indexSelect(0, torch.tensor(labels, { dtype: "int64" }));
  return { features: centres.add(torch.randn([count, 3], { generator }).mul(noise)), labels };
}

const options = {
  ...{ classNames, classifiers: usable, splits: 3, seed: 1, folds: 3 },
  scaling: "standardise",
} as const;

describe("evaluateFeatures", () => {
  it("finds features good that tell classes apart, and others worthless", async () => {
    const parts = (noise: number) => ({ train: drawn(60, noise, 1), test: drawn(90, noise, 2) });
    for (const { top1 } of await evaluateFeatures(parts(0.3), { ...options, shots: 8 })) {
      expect(top1).toHaveLength(3);
      expect(Math.min(...top1)).toBeGreaterThan(0.97);
    }
    for (const { top1 } of await evaluateFeatures(parts(1000), { ...options, shots: undefined })) {
      expect(top1).toHaveLength(1);
      // A third is chance; 90 images leave a deviation of 0.05.
      expect(top1[0]).toBeGreaterThan(0.1);
      expect(top1[0]).toBeLessThan(0.6);
    }
  });

  it("tests with the images that were not drawn where there are no test images", async () => {
    const parts = { train: drawn(30, 0.1, 1), test: undefined };
    const [{ top1 } = { top1: [] }] = await evaluateFeatures(parts, { ...options, shots: 5 });
    expect(top1).toEqual([1, 1, 1]);
    await expect(evaluateFeatures(parts, { ...options, shots: undefined })).rejects.toThrow(
      "has no test images",
    );
    await expect(evaluateFeatures(parts, { ...options, shots: 10 })).rejects.toThrow(
      "no image is left to test",
    );
  });

  it("chooses C by accuracy on the folds alone: strong penalties for noisy features", async () => {
    const choice = (noise: number) =>
      chooseC(classifiers[1], drawn(60, noise, 3), { ...options, scaling: "none" });
    const { c, accuracy } = await choice(0.1);
    expect(accuracy).toBe(1);
    // All values of C are right then, and the smallest is taken: 1e-2 times 1 / (the mean squared length).
    expect(c).toBeGreaterThan(1e-2 / 12);
    expect(c).toBeLessThan(1e-2 / 6);
  });
});

describe("splits", () => {
  const labelsOf = fc
    .array(fc.integer({ min: 2, max: 9 }), { minLength: 3, maxLength: 3 })
    .map((counts) =>
      Int32Array.from(counts.flatMap((count, label) => Array(count).fill(label)).sort(() => 0)),
    );
  const counted = (labels: Int32Array, indices: Int32Array) =>
    classNames.map((_, label) => indices.filter((i) => labels[i] === label).length);

  it("draw so many of each class, the others test, and each draw is another", () => {
    fc.assert(
      fc.property(
        labelsOf,
        fc.integer({ min: 1, max: 2 }),
        fc.nat(),
        fc.nat(50),
        (labels, shots, seed, draw) => {
          const { train, test } = drawShots(labels, { classNames, shots, seed, draw });
          expect(counted(labels, train)).toEqual([shots, shots, shots]);
          expect([...train, ...test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
          expect(drawShots(labels, { classNames, shots, seed, draw }).train).toEqual(train);
        },
      ),
    );
    const labels = Int32Array.from({ length: 300 }, (_, i) => i % 3);
    const drawnBy = (seed: number, draw: number) => [
      ...drawShots(labels, { classNames, shots: 10, seed, draw }).train,
    ];
    expect(drawnBy(0, 1)).not.toEqual(drawnBy(0, 0));
    expect(drawnBy(1, 0)).not.toEqual(drawnBy(0, 0));
  });

  it("cross-validate: each image is tested once, by others that have all classes, evenly", () => {
    fc.assert(
      fc.property(labelsOf, fc.integer({ min: 2, max: 5 }), fc.nat(), (labels, folds, seed) => {
        const parts = stratifiedFolds(labels, { classNames, folds, seed });
        expect(parts.length).toBe(Math.min(folds, ...counted(labels, Int32Array.from(labels.keys()))));
        expect(parts.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual([...labels.keys()]);
        for (const { train, test } of parts) {
          expect([...train, ...test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
          expect(Math.min(...counted(labels, train))).toBeGreaterThan(0);
        }
        for (const label of [0, 1, 2]) {
          const shares = parts.map(({ test }) => counted(labels, test)[label]!);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("name the class that has too few images", () => {
    const labels = Int32Array.of(0, 0, 1, 2, 2);
    expect(() => drawShots(labels, { classNames, shots: 2, seed: 0, draw: 0 })).toThrow(
      "class bee has 1 training images",
    );
    expect(() => stratifiedFolds(labels, { classNames, folds: 2, seed: 0 })).toThrow(
      "class bee has 1 training image:",
    );
  });
});

it("accuracy counts images, and classes alike", () => {
  const scores = torch.tensor([
    [2, 1, 0],
    [2, 1, 0],
    [2, 1, 0],
    [0, 1, 0],
  ]);
  expect(accuracyOf(scores, Int32Array.of(0, 0, 1, 1), 3)).toEqual({ top1: 0.75, meanClassAccuracy: 0.75 });
  expect(accuracyOf(scores, Int32Array.of(0, 0, 0, 2), 3)).toEqual({ top1: 0.75, meanClassAccuracy: 0.5 });
});

it("spreads are those of a sample, and of differences draw by draw", () => {
  expect(spreadOf([0.5])).toEqual({ mean: 0.5, deviation: undefined });
  expect(spreadOf([1, 2, 3, 4]).deviation).toBeCloseTo(Math.sqrt(5 / 3), 12);
  expect(pairedSpread([3, 5, 8], [1, 3, 6])).toEqual({ mean: 2, deviation: 0 });
  expect(() => pairedSpread([1], [1, 2])).toThrow(RangeError);
});
