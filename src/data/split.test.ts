import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitHeldOut, stratifiedSample } from "./split.js";

const labelArrays = fc
  .array(fc.integer({ min: 0, max: 6 }), { maxLength: 300 })
  .map((a) => Int32Array.from(a));

function tally(labels: Int32Array, indices: Iterable<number>): number[] {
  const counts = new Array<number>(7).fill(0);
  for (const index of indices) counts[labels[index]!]!++;
  return counts;
}

describe("stratifiedSample", () => {
  it("picks as many as asked, ascending, each once, each class its share within one", () => {
    fc.assert(
      fc.property(labelArrays, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (labels, part, seed) => {
        const count = Math.floor(part * labels.length);
        const picked = stratifiedSample(labels, count, seed);
        expect(picked.length).toBe(count);
        expect([...picked]).toEqual([...new Set(picked)].sort((a, b) => a - b));
        const all = tally(labels, labels.keys());
        tally(labels, picked).forEach((n, label) => {
          expect(Math.abs(n - (count * all[label]!) / (labels.length || 1))).toBeLessThan(1);
        });
      }),
    );
  });

  it("picks other images, and other classes for the odd ones, with another seed", () => {
    const labels = Int32Array.from({ length: 70 }, (_, i) => i % 7);
    expect(stratifiedSample(labels, 35, 1)).toEqual(stratifiedSample(labels, 35, 1));
    expect(stratifiedSample(labels, 35, 1)).not.toEqual(stratifiedSample(labels, 35, 2));
    const odd = (seed: number) => labels[stratifiedSample(labels, 1, seed)[0]!]!;
    expect(new Set(Array.from({ length: 50 }, (_, seed) => odd(seed))).size).toBe(7);
  });

  it.each([-1, 1.5, 11, Number.NaN])("refuses a count of %s out of 10", (count) => {
    expect(() => stratifiedSample(new Int32Array(10), count, 0)).toThrow(
      /count must be an integer in 0\.\.10/,
    );
  });
});

describe("splitHeldOut", () => {
  it("is a partition of the set, stratified", () => {
    fc.assert(
      fc.property(
        labelArrays,
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.nat(),
        (labels, fraction, seed) => {
          const { train, heldOut } = splitHeldOut({ labels }, { fraction, seed });
          expect(heldOut.length).toBe(Math.round(fraction * labels.length));
          expect([...train, ...heldOut].sort((a, b) => a - b)).toEqual([...labels.keys()]);
          expect([...train]).toEqual([...train].sort((a, b) => a - b));
        },
      ),
    );
  });

  it("holds nothing out at 0, and refuses more than half", () => {
    const labels = Int32Array.of(0, 1, 0, 1);
    expect(splitHeldOut({ labels }, { fraction: 0, seed: 0 }).train).toEqual(Int32Array.of(0, 1, 2, 3));
    expect(() => splitHeldOut({ labels }, { fraction: 0.6, seed: 0 })).toThrow(RangeError);
    expect(() => splitHeldOut({ labels }, { fraction: Number.NaN, seed: 0 })).toThrow(RangeError);
  });
});
