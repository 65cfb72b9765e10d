import { describe, expect, it } from "vitest";
import { judge, parseExpectation } from "./expectations.js";
import { studyByHand } from "./testing/by-hand.js";

const study = studyByHand({
  strict: {
    top1: [
      [50, 52],
      [51, 52.6],
      [50.4, 52.2],
      [50.2, 52.1],
    ],
  },
  tolerant: {
    top1: [
      [48, 52.5],
      [49.4, 53],
      [48.3, 52.9],
      [48.1, 52.7],
    ],
  },
  "k-5": { top1: [[50], [51.1], [50.3], [50.3]] },
});

describe("an expectation", () => {
  it.each([
    ["tolerant>strict", { a: "tolerant", relation: ">", b: "strict", margin: 0, generation: "last" }],
    [" tolerant < strict ", { relation: "<", b: "strict", margin: 0 }],
    ["tolerant>strict-0.5", { b: "strict", margin: -0.5 }],
    ["tolerant > strict + 1 @ ensemble", { b: "strict", margin: 1, generation: "ensemble" }],
    ["tolerant>strict@0", { generation: 0 }],
    ["tolerant>strict@patriarch", { generation: 0 }],
    ["tolerant>strict@0-1", { generation: "0-1" }],
    ["tolerant>k-5", { b: "k-5", margin: 0 }],
    ["tolerant>k-5-5", { b: "k-5", margin: -5 }],
  ])("%s", (text, meaning) => {
    expect(parseExpectation(text, study)).toMatchObject({ text, ...meaning });
  });

  it.each([
    ["tolerant", "looks like"],
    ["tolerant=strict", "looks like"],
    ["a>b>c", "looks like"],
    ["tolerrant>strict", 'did you mean "tolerant"?'],
    ["tolerant>strickt-0.5", 'did you mean "strict"?'],
    ["tolerant>strict@frist", "after @ comes"],
    ["tolerant>strict@7", "the line of tolerant has no 7"],
    ["tolerant>k-5@1", "the line of k-5 has no 1"],
    ["strict>strict+1", "with itself"],
  ])("%s is refused", (text, message) => {
    expect(() => parseExpectation(text, study)).toThrow(message);
  });
});

describe("judging", () => {
  const shown = (...texts: string[]) =>
    judge(
      study,
      texts.map((text) => parseExpectation(text, study)),
    ).map((judged) => judged.shown);

  it("tells what is shown on which side, margins included", () => {
    // The last networks differ by 0.5, 0.4, 0.7 and 0.6 points: 0.55 on average, ± 0.205.
    expect(shown("tolerant>strict")).toEqual([true]);
    expect(shown("tolerant<strict")).toEqual([false]);
    expect(shown("strict<tolerant")).toEqual([true]);
    expect(shown("tolerant>strict+0.34")).toEqual([true]);
    expect(shown("tolerant>strict+0.35")).toEqual([false]);
    expect(shown("strict>tolerant-0.76")).toEqual([true]);
    expect(shown("strict>tolerant-0.75")).toEqual([false]);
    expect(shown("tolerant<strict@0")).toEqual([true]);
  });

  it("corrects for the number of expectations", () => {
    expect(shown("tolerant>strict+0.34", "tolerant>strict+0.33")).toEqual([false, false]);
    const [one] = judge(study, [
      parseExpectation("tolerant>strict", study),
      parseExpectation("strict>k-5", study),
    ]);
    expect(one!.sentence).toMatch(
      /^Expected tolerant>strict: shown; tolerant's first student is 0\.55 points above strict's, 95 % interval over seeds 0\.34 to 0\.76, 4 seeds, p 0\.\d+ for 2 expectations together\.$/,
    );
  });

  it("shows nothing where all differences are equal, whatever the margin", () => {
    const equal = studyByHand({ a: { top1: [[50], [52]] }, b: { top1: [[51], [53]] } });
    const judged = judge(
      equal,
      ["b>a", "b>a-3"].map((text) => parseExpectation(text, equal)),
    );
    expect(judged.map((each) => each.shown)).toEqual([false, false]);
    expect(judged[0]!.sentence).toBe(
      "Expected b>a: not shown; b's network is 1.00 points above a's, no 95 % interval over seeds, since the differences of all 2 seeds are equal, which does not show how another seed's would be.",
    );
  });

  it("shows nothing with one seed, without any, or between the same networks", () => {
    const few = studyByHand({
      a: { top1: [[50, 52]] },
      b: { top1: [[50, 99]], shares: { arm: "a", generations: 1 } },
      c: { top1: [[60]], seeds: [8] },
    });
    const judged = judge(
      few,
      ["b>a", "b>a@0", "c>a"].map((text) => parseExpectation(text, few)),
    );
    expect(judged.map((each) => each.shown)).toEqual([false, false, false]);
    expect(judged.map(({ sentence }) => sentence)).toEqual([
      expect.stringContaining("since there is only seed 0"),
      "Expected b>a@0: not shown; there is nothing to compare: no values, or the same networks on both sides.",
      "Expected c>a: not shown; no seed has both c's network and a's first student.",
    ]);
  });
});
