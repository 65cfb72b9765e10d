import { expect, test } from "vitest";
import { type DrawnStudy, drawnGrid, makeStudy } from "../../study/testing/make-study.js";
import { searchWords } from "./search-words.js";

const search = (options: DrawnStudy = {}) =>
  makeStudy({ arms: drawnGrid([3, 5], [0.4, 0.8]), part: "heldOut", seeds: [0, 1, 2], ...options });

/** Gives every network of an arm the same accuracy, with a spread over seeds. */
function setTo(study: ReturnType<typeof search>, top1: Record<string, number[]>) {
  for (const arm of study.arms)
    for (const [i, line] of arm.lines.entries())
      for (const network of line.networks) if (network) network.heldOut!.top1 = top1[arm.name]![i]!;
  return study;
}

const values = {
  "k=3,primaryScore=0.4": [0.4, 0.411, 0.4],
  "k=3,primaryScore=0.8": [0.5, 0.48, 0.52],
  "k=5,primaryScore=0.4": [0.4, 0.41, 0.4005],
  "k=5,primaryScore=0.8": [0.51, 0.52, 0.51],
};

test("names the best arm, and says how many can be told from it", () => {
  expect(searchWords(setTo(search(), values))).toEqual([
    "Of 4 arms, k=5,primaryScore=0.8 ends highest: 51.33 % of the held-out images, the mean of 3 seeds.",
    "2 of the 3 others can be told from it by pairs of the same seed, corrected for all of them: the rest may be as good.",
    "The highest of many is in part the luckiest: expect somewhat less of it on other images.",
  ]);
});

test("with one seed nothing can be told", () => {
  const words = searchWords(setTo(search({ seeds: [0] }), values));
  expect(words[0]).toBe(
    "Of 4 arms, k=5,primaryScore=0.8 ends highest: 51.00 % of the held-out images, one seed.",
  );
  expect(words[1]).toMatch(/^None of the 3 others can be told from it .*: the rest may be as good\.$/);
});

test("arms that are not finished do not count", () => {
  const only = search({ finished: (arm) => arm === "k=3,primaryScore=0.4" });
  expect(searchWords(setTo(only, values))).toEqual([
    "k=3,primaryScore=0.4 is the only arm that is finished so far: 40.37 % of the held-out images, the mean of 3 seeds.",
  ]);
  expect(searchWords(search({ finished: () => false }))).toEqual([]);
});
