import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zod } from "../packages.js";
import { settled, weight, weightAt, weightInWords } from "./weight.js";

const along = (given: Parameters<typeof weightAt>[0], generations: number) =>
  Array.from({ length: generations - 1 }, (_, i) => weightAt(given, { generation: i + 1, generations }));

describe("a weight along the line", () => {
  it("is one number, a list of which the last goes on, or equal steps from the first student to the last", () => {
    expect(along(0.3, 4)).toEqual([0.3, 0.3, 0.3]);
    expect(along([0.2, 0.5], 5)).toEqual([0.2, 0.5, 0.5, 0.5]);
    expect(along([0.2, 0.5, 0.9], 3)).toEqual([0.2, 0.5]);
    expect(along({ from: 0.2, to: 0.6 }, 6)).toEqual([0.2, 0.3, 0.4, 0.5, 0.6]);
    expect(along({ from: 1, to: 0 }, 4)).toEqual([1, 0.5, 0]);
  });

  it("is the first of a range where there is one student, and of all where there is none yet", () => {
    expect(along({ from: 0.2, to: 0.6 }, 2)).toEqual([0.2]);
    for (const given of [0.5, [0.5, 1], { from: 0.5, to: 1 }])
      expect(weightAt(given, { generation: 0, generations: 1 })).toBe(0.5);
  });

  it("begins and ends as asked, and goes one way only", () => {
    const bound = fc.integer({ min: 0, max: 1000 }).map((value) => value / 1000);
    fc.assert(
      fc.property(bound, bound, fc.integer({ min: 3, max: 40 }), (from, to, generations) => {
        const weights = along({ from, to }, generations);
        expect(weights[0]).toBe(from);
        expect(weights.at(-1)).toBe(to);
        const sorted = [...weights].sort((a, b) => (to > from ? a - b : b - a));
        expect(weights).toEqual(sorted);
      }),
    );
  });

  it("is a number to a loss, which refuses one that still changes", () => {
    expect(settled(0.4)).toBe(0.4);
    expect(() => settled([0.4])).toThrow(TypeError);
    expect(() => settled({ from: 0, to: 1 })).toThrow("must be made one number");
  });

  it("is put into words", () => {
    expect([0.5, [0.2, 0.4], { from: 0.2, to: 0.6 }].map(weightInWords)).toEqual([
      "0.5",
      "0.2, then 0.4",
      "0.2 going to 0.6",
    ]);
  });

  it.each([-1, "0.5", [], [0.5, -1], { from: 0.5 }, { from: 0.5, to: 2e6 }, { from: 0, to: 1, by: 2 }])(
    "refuses %j",
    (given) => {
      expect(weight(zod().z).safeParse(given).success).toBe(false);
    },
  );
});
