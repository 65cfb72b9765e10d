import { expect, test } from "vitest";
import { checkImageSet } from "./check-set.js";
import type { ImageSet } from "./image-set.js";
import { makeSynthetic } from "./sets/synthetic.js";

const { train } = makeSynthetic({ classes: 6, size: 8, channels: 1, trainCount: 12, testCount: 1 });
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
