import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash32, RandomSequence, scaleTo, shuffled } from "./random.js";

/** Computes Pearson's statistic over its degrees of freedom, which is near 1 when all of `counts` are equally likely. */
function chiSquare(counts: number[]): number {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) / (counts.length - 1);
}

describe("hash32", () => {
  it("is a pure function of the whole key", () => {
    expect(hash32(1, 2, 3)).toBe(hash32(1, 2, 3));
    const keys = [
      [1, 2, 3],
      [1, 3, 2],
      [1, 2],
      [1, 2, 0],
      [1, 2, 3, 0],
      [1 + 2 ** 32, 2, 3],
      [-1, 2, 3],
    ];
    expect(new Set(keys.map((key) => hash32(...key))).size).toBe(keys.length);
  });

  it.each([
    ["index", (i: number) => hash32(0, 0, i)],
    ["epoch", (i: number) => hash32(0, i, 7)],
    ["seed", (i: number) => hash32(i, 3, 7)],
  ])("is uniform along the %s alone, in all bytes", (_, draw) => {
    const drawn = Array.from({ length: 65536 }, (_, i) => draw(i));
    for (const shift of [0, 8, 16, 24]) {
      const counts = new Array<number>(256).fill(0);
      for (const value of drawn) counts[(value >>> shift) & 255]!++;
      // With 255 degrees of freedom this ratio has a standard deviation of 0.09.
      expect(Math.abs(chiSquare(counts) - 1)).toBeLessThan(0.45);
    }
  });

  it("flips about half of the bits when one bit of the key changes", () => {
    let flipped = 0;
    for (let i = 0; i < 3200; i++) {
      let change = hash32(5, 1, i) ^ hash32(5, 1, i ^ (1 << (i % 32)));
      for (; change !== 0; change &= change - 1) flipped++;
    }
    expect(flipped / 3200 / 32).toBeGreaterThan(0.49);
    expect(flipped / 3200 / 32).toBeLessThan(0.51);
  });

  it("never changes: runs of the past must stay repeatable", () => {
    expect([hash32(), hash32(0), hash32(1, 2, 3), hash32(2 ** 40 + 1)]).toEqual([
      2462723854, 2004150989, 3556823453, 4102473378,
    ]);
    expect([...shuffled(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7), 7, 1)]).toEqual([0, 5, 4, 6, 3, 7, 2, 1]);
  });

  it("gives neighbours in a key unrelated crops", () => {
    const pairs = new Array<number>(81).fill(0);
    for (let i = 0; i < 81 * 400; i++)
      pairs[scaleTo(9, hash32(0, 1, i, 0)) * 9 + scaleTo(9, hash32(0, 1, i, 1))]!++;
    expect(Math.abs(chiSquare(pairs) - 1)).toBeLessThan(0.8);
  });
});

describe("RandomSequence", () => {
  it("repeats for a key and differs for another", () => {
    const draw = (...key: number[]) => {
      const random = new RandomSequence(...key);
      return Array.from({ length: 20 }, () => random.uint32());
    };
    expect(draw(4, 2)).toEqual(draw(4, 2));
    expect(draw(4, 2)).not.toEqual(draw(4, 3));
  });

  it("draws each number below n equally often", () => {
    const random = new RandomSequence(1);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.below(7)]!++;
    expect(chiSquare(counts)).toBeLessThan(4);
  });
});

describe("shuffled", () => {
  it("is a permutation, decided by the key", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e6)), fc.integer(), (values, seed) => {
        const given = Int32Array.from(values);
        const result = shuffled(given, seed, 1);
        expect(result.slice().sort()).toEqual(given.slice().sort());
        expect(result).toEqual(shuffled(given, seed, 1));
      }),
    );
  });

  it("makes all orders of four equally likely", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 24_000; seed++) {
      const order = shuffled(Int32Array.of(0, 1, 2, 3), seed, 0).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(2.5);
  });
});
