import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensembleLogits } from "./ensemble.js";
import { evaluateLogits } from "./evaluate-logits.js";
import { numbersOf } from "./numbers-of.js";
import { largestDifference, slackWithin } from "./slack.js";

const images = 60;
const classes = 7;
const values = (seed: number, scale: number) =>
  Float64Array.from({ length: images * classes }, (_, i) => scale * Math.sin((i + 1) * (seed + 1.7)));

describe("slackWithin", () => {
  it("holds for any move of the logits within the bound", () => {
    const bounds = fc.constantFrom(1e-6, 1e-4, 1e-3);
    fc.assert(
      fc.property(fc.nat(1000), bounds, fc.integer(), (seed, bound, draw) => {
        const logits = { values: values(seed, 3), classes };
        const teacherLogits = { values: values(seed + 0.5, 3), classes };
        const labels = Array.from({ length: images }, (_, i) => (i * 3 + seed) % classes);
        const moved = {
          values: logits.values.map((value, i) => value + bound * Math.sin(i * i + draw)),
          classes,
        };
        const extras = { teacherLogits, superclasses: [0, 0, 1, 1, 1, 2, 2] };
        const slack = slackWithin(logits, labels, bound, extras);
        const before = numbersOf(evaluateLogits(logits, labels, extras));
        for (const [name, value] of numbersOf(evaluateLogits(moved, labels, extras))) {
          expect(Math.abs(value - before.get(name)!), name).toBeLessThanOrEqual(slack.get(name)! + 1e-12);
        }
      }),
    );
  });

  it("moves the members of an ensemble too", () => {
    // Two members agree on both images; with logits that move by 0.1, one of them may change its mind on one.
    const member = (...values: number[]) => ({ values: Float64Array.from(values), classes: 2 });
    const memberLogits = [member(1, 0, 5, 0), member(0.1, 0, 5, 0)];
    const slackOf = (bound: number) => {
      const slack = slackWithin(ensembleLogits(memberLogits), [0, 0], bound, { memberLogits });
      return [slack.get("disagreement"), slack.get("gainOverMean")];
    };
    // One image is 2/N = 1. A change of 1/2 counts twice, beside that.
    expect(slackOf(0.01)).toEqual([1, 1]);
    expect(slackOf(0.1)).toEqual([2, 1 + 2 / 4]);
  });

  it("gives a metric that jumps where images tie the images' worth that it states", () => {
    const slack = slackWithin({ values: values(1, 3), classes }, new Int32Array(images), 0);
    expect([slack.get("adaptiveEce"), slack.get("top1"), slack.get("nll")]).toEqual([
      (15 * 2) / images,
      2 / images,
      0,
    ]);
    expect(slack.get("reliability[44]")).toBe(2 / images);
  });

  it("counts the images whose best classes all but tie, and one more", () => {
    const logits = { values: Float64Array.of(1, 1.0001, 1, 1.0001, 3, 1, 3, 1), classes: 2 };
    const slackOf = (bound: number) => slackWithin(logits, [0, 1, 0, 0], bound).get("top1");
    expect(slackOf(1e-5)).toBe(2 / 4);
    // Two images nearly tie: moving logits towards the labels gains one of them, moving away from the labels
    // loses one.
    expect(slackOf(1e-4)).toBe(2 / 4 + 2 / 4);
  });

  it("is of the size of the bound for what does not count images", () => {
    const slack = slackWithin({ values: values(1, 3), classes }, new Int32Array(images), 1e-4);
    expect(slack.get("nll")).toBeGreaterThan(1e-4);
    // ln p moves by at most twice the bound, and the slack is twice that.
    expect(slack.get("nll")).toBeLessThanOrEqual(4e-4 * (1 + 1e-6));
    expect(slack.get("scoreByRank[0]")).toBeLessThan(4e-4);
  });
});

describe("largestDifference", () => {
  const of = (...values: number[]) => ({ values: Float64Array.from(values), classes: 2 });
  it("is the largest move of one logit; equal infinities are alike, NaN never is", () => {
    expect(largestDifference(of(1, 2, 3, 4), of(1, 2.5, 2.75, 4))).toBe(0.5);
    const infinite = Number.NEGATIVE_INFINITY;
    expect(largestDifference(of(infinite, 1), of(infinite, 1))).toBe(0);
    expect(largestDifference(of(infinite, 1), of(0, 1))).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference(of(Number.NaN, 1), of(0, 1))).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference(of(0, 1), of(0, Number.NaN))).toBe(Number.POSITIVE_INFINITY);
    expect(() => largestDifference(of(0, 1), of(0, 1, 2, 3))).toThrow("[1, 2] and [2, 2]");
  });
});
