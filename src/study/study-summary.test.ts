import { expect, it } from "vitest";
import { studySummary } from "./study-summary.js";
import { studyByHand } from "./testing/by-hand.js";

const study = studyByHand({
  strict: {
    top1: [
      [50, 52],
      [51, null],
    ],
    ensemble: [54, null],
  },
  plain: { top1: [[51], [51.5]] },
});

it("has the arms' values by seed and generation, and the paired differences, as fractions", () => {
  expect(studySummary(study)).toEqual({
    arms: {
      strict: {
        seeds: [0, 1],
        top1: [
          [0.5, 0.52],
          [0.51, null],
        ],
        ensembleTop1: [0.54, null],
      },
      plain: { seeds: [0, 1], top1: [[0.51], [0.515]], ensembleTop1: [0.51, 0.515] },
    },
    paired: [
      {
        a: "plain",
        b: "strict",
        generation: "last",
        difference: expect.closeTo(-0.01, 12),
        low: null,
        high: null,
        seeds: [0],
      },
      {
        a: "plain",
        b: "strict",
        generation: "ensemble",
        difference: expect.closeTo(-0.03, 12),
        low: null,
        high: null,
        seeds: [0],
      },
    ],
  });
});
