import { expect, test } from "vitest";
import { confusionPairs } from "./confusion-pairs.js";
import { predicting } from "./testing/predicting.js";

test("the pairs that are confused, most often first, then in the classes' order", () => {
  // Labels      0 0 0 1 1 2 2 2
  // predictions 0 1 1 1 2 0 1 2
  const labels = [0, 0, 0, 1, 1, 2, 2, 2];
  const network = predicting(4, 0, 1, 1, 1, 2, 0, 1, 2);
  const all = [
    { label: 0, predicted: 1, images: 2 },
    { label: 1, predicted: 2, images: 1 },
    { label: 2, predicted: 0, images: 1 },
    { label: 2, predicted: 1, images: 1 },
  ];
  expect(confusionPairs(network, labels)).toEqual(all);
  expect(confusionPairs(network, labels, { most: 3 })).toEqual(all.slice(0, 3));
  expect(confusionPairs(predicting(4, ...labels), labels)).toEqual([]);
});
