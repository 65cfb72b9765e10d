import { expect, test } from "vitest";
import { checkDataset, checkImageSet } from "./check-set.js";
import type { ImageSet } from "./image-set.js";
import { makeSynthetic } from "./sets/synthetic.js";

const dataset = makeSynthetic({ classes: 6, size: 8, channels: 1, trainCount: 12, testCount: 1 });
const { train } = dataset;
const checking = (changes: Partial<ImageSet>) => () => checkImageSet({ ...train, ...changes }, 6);

test("what Lyceum makes fits", () => {
  expect(checking({})).not.toThrow();
});

test.each<[string, Partial<ImageSet>]>([
  ["12x1x8x8 need 768 bytes, got 767", { images: train.images.slice(1) }],
  ["the pixels must be bytes", { images: Float32Array.from(train.images) as never }],
  ["label 0.5 of image 0 is not in 0..5", { labels: [0.5, ...Array(11).fill(0)] as never }],
  ["there are 12, but 10 labels", { labels: train.labels.slice(2) }],
  ["label 6 of image 3 is not in 0..5", { labels: train.labels.with(3, 6) }],
  ["label -1 of image 0 is not in 0..5", { labels: train.labels.with(0, -1) }],
  ["count must be 1 or more, got 0", { count: 0 }],
  ["height must be 1 or more, got 8.5", { height: 8.5 }],
])("%s", (problem, changes) => {
  expect(checking(changes)).toThrow(`the images of synthetic train: ${problem}`);
});

test("superclasses are one for each class, 0 or more, or none at all", () => {
  const checking = (superclasses: unknown) => () => checkDataset("mine", { ...dataset, superclasses });
  expect(dataset.superclasses).toEqual(Int32Array.of(0, 0, 0, 0, 0, 1));
  expect(checking(undefined)).not.toThrow();
  expect(checking(dataset.superclasses)).not.toThrow();
  for (const wrong of [Int32Array.of(0, 1), [0, 0, 0, 0, 0, 1]])
    expect(checking(wrong)).toThrow(
      "the data set mine: superclasses must be an Int32Array with one number for",
    );
  expect(checking(Int32Array.of(0, 0, 0, -1, 0, 1))).toThrow(
    "the superclass of class 3 must be 0 or more, got -1",
  );
});
