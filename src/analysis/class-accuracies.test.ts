import { expect, test } from "vitest";
import { classAccuracies } from "./class-accuracies.js";
import { predicting } from "./testing/predicting.js";

test("the accuracy of each class, worked by hand; a class without images has none", () => {
  // Labels      0 0 0 1 1 2 2 2
  // predictions 0 1 1 1 2 0 1 2
  const network = predicting(4, 0, 1, 1, 1, 2, 0, 1, 2);
  expect(classAccuracies(network, [0, 0, 0, 1, 1, 2, 2, 2])).toEqual([
    { label: 0, images: 3, right: 1, accuracy: 1 / 3 },
    { label: 1, images: 2, right: 1, accuracy: 1 / 2 },
    { label: 2, images: 3, right: 1, accuracy: 1 / 3 },
    { label: 3, images: 0, right: 0, accuracy: Number.NaN },
  ]);
});
