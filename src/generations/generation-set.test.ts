import { expect, test } from "vitest";
import { ensembleName, parseGenerations } from "./generation-set.js";

test("sets of generations are ranges and numbers, in the order given", () => {
  expect(parseGenerations("0-2")).toEqual([0, 1, 2]);
  expect(parseGenerations("0,2")).toEqual([0, 2]);
  expect(parseGenerations("3,0-1")).toEqual([3, 0, 1]);
  expect(parseGenerations("7")).toEqual([7]);
  for (const wrong of ["", "2-1", "0,", "0,0", "1-3,2", "a", "0 - 1", "-1", "0-99999"])
    expect(parseGenerations(wrong), wrong).toBeUndefined();
});

test("an ensemble is named after its generations and what differs from the plain mean of softmax", () => {
  expect(ensembleName([0, 1, 2])).toBe("0-2");
  expect(ensembleName([1])).toBe("1-1");
  expect(ensembleName([2, 0])).toBe("2,0");
  expect(ensembleName([0, 1], { mean: "softmax", weights: [3, 3] })).toBe("0-1");
  expect(ensembleName([0, 2], { mean: "logits", weights: [1, 2] })).toBe("0,2 mean of logits, weights 1:2");
});
