import { expect, test } from "vitest";
import { type DrawnStudy, drawnGrid, makeStudy } from "../testing/make-study.js";
import { searchSentences } from "./search.js";

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
  expect(searchSentences(setTo(search(), values))).toEqual([
    "Of 4 arms, k=5,primaryScore=0.8 ends highest: top-1 51.33 % on the held-out images, the mean of 3 seeds.",
    "2 of the 3 others can be told from it by pairs of the same seed, corrected for all 6 pairs of arms, since the best was not known before: the rest may be as good.",
    "The best of many is in part the luckiest: expect somewhat less of it on other images.",
  ]);
});

test("with one seed nothing can be told", () => {
  const words = searchSentences(setTo(search({ seeds: [0] }), values));
  expect(words[0]).toBe(
    "Of 4 arms, k=5,primaryScore=0.8 ends highest: top-1 51.00 % on the held-out images, one seed.",
  );
  expect(words[1]).toMatch(/^None of the 3 others can be told from it .*: each may be as good\.$/);
});

test("arms that are not finished do not count", () => {
  const only = search({ finished: (arm) => arm === "k=3,primaryScore=0.4" });
  expect(searchSentences(setTo(only, values))).toEqual([
    "k=3,primaryScore=0.4 is the only arm that is finished so far: top-1 40.37 % on the held-out images, the mean of 3 seeds.",
  ]);
  expect(searchSentences(search({ finished: () => false }))).toEqual([]);
});

test("the best arm was chosen after looking, so that all pairs of arms count", () => {
  // Differences of the best and the next: 1.0, 1.2 and 1.1 points; p is 0.0027, times 3 rivals 0.0082, times 6 pairs 0.016.
  const near = { ...values, "k=3,primaryScore=0.8": [0.5, 0.508, 0.499] };
  expect(searchSentences(setTo(search(), near))[1]).toMatch(/^3 of the 3 others can be told .* before\.$/);
  // 1.0, 1.6 and 1.1 points: p is 0.021, times 3 rivals (Holm) below 0.05, and yet not told.
  const nearer = { ...values, "k=3,primaryScore=0.8": [0.5, 0.504, 0.499] };
  expect(searchSentences(setTo(search(), nearer))[1]).toMatch(/^2 of the 3 others can be told /);
});

test("of a metric where less is better the lowest is the best, and one without a better end has none", () => {
  const study = search();
  for (const arm of study.arms)
    for (const line of arm.lines)
      for (const network of line.networks)
        network!.heldOut!.nll = arm.name === "k=3,primaryScore=0.4" ? 1 + line.seed / 100 : 2;
  expect(searchSentences(study, { metric: "nll" })[0]).toBe(
    "Of 4 arms, k=3,primaryScore=0.4 ends lowest: NLL 1.010 on the held-out images, the mean of 3 seeds.",
  );
  expect(searchSentences(study, { metric: "entropy" })).toEqual([]);
});
