import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareAt, paired, swapped } from "./paired.js";
import { pair } from "./pairing.js";
import { studyByHand } from "./testing/by-hand.js";
import { armNamed } from "./values.js";

const study = studyByHand({
  strict: {
    top1: [
      [50, 52],
      [51, 52.6],
      [50.4, 52.2],
    ],
    ensemble: [54, 54.4, 54.3],
  },
  tolerant: {
    top1: [
      [48, 52.5],
      [49.4, 53],
      [48.3, 52.9],
    ],
    ensemble: [54.1, 54.2, 54.6],
  },
});
const at = (generation: unknown, arm = "tolerant", of = study) =>
  paired(of).find((one) => one.generation === generation && one.a === arm);

describe("paired", () => {
  it("compares by generation, the last of each line and the ensembles, by hand", () => {
    expect(paired(study).map(({ generation }) => generation)).toEqual([0, 1, "last", "ensemble"]);
    // Differences -2, -1.6, -2.1: mean -1.9, deviation 0.26458, t(2) = 4.30265, half width 0.65725.
    const first = at(0)!;
    expect(first).toMatchObject({
      a: "tolerant",
      b: "strict",
      seeds: [0, 1, 2],
      metric: "top1",
      part: "test",
    });
    expect(first.difference).toBeCloseTo(-0.019, 12);
    expect(first.low).toBeCloseTo(-0.0255725, 6);
    expect(first.high).toBeCloseTo(-0.0124275, 6);
    expect(first.bootstrap).toBeUndefined();
    expect(at("last")!.difference).toBeCloseTo((0.5 + 0.4 + 0.7) / 300, 12);
    expect(at("ensemble")).toMatchObject({ of: { a: "0-1", b: "0-1" } });
    expect(at("ensemble")!.difference).toBeCloseTo((0.1 - 0.2 + 0.3) / 300, 12);
  });

  it("takes another reference, metric and part", () => {
    const [other] = paired(study, { reference: "tolerant" });
    expect(other).toMatchObject({ a: "strict", b: "tolerant" });
    expect(other!.difference).toBeCloseTo(0.019, 12);
    expect(paired(study, { metric: "nll" })[0]!.difference).toBeCloseTo(0.019, 12);
    expect(paired(study, { part: "heldOut" })).toEqual([]);
    expect(() => paired(study, { metric: "topp1" })).toThrow('did you mean "top1"?');
    expect(() => paired(study, { metric: "scoreByRank" })).toThrow("that is one number");
    expect(() => paired(study, { reference: "strickt" })).toThrow('did you mean "strict"?');
  });

  it("compares a single network with the last of a line and with its ensemble", () => {
    const both = studyByHand({
      strict: {
        top1: [
          [50, 52],
          [51, 53],
        ],
      },
      plain: { top1: [[51.5], [52.5]] },
    });
    expect(paired(both).map(({ generation, of }) => [generation, of.a, of.b])).toEqual([
      ["last", 0, 1],
      ["ensemble", 0, "0-1"],
    ]);
  });

  it("compares lines of different length at the common generations, their ends, and equal ensembles", () => {
    const both = studyByHand({
      strict: {
        top1: [
          [50, 52],
          [51, 53],
        ],
      },
      long: {
        top1: [
          [49, 52, 53.5],
          [50.1, 53, 54],
        ],
      },
    });
    expect(paired(both).map(({ generation, of }) => [generation, of.a, of.b])).toEqual([
      [0, 0, 0],
      [1, 1, 1],
      ["last", 2, 1],
      ["ensemble", "0-2", "0-1"],
      ["0-1", "0-1", "0-1"],
    ]);
  });

  it("does not compare networks that arms share", () => {
    const both = studyByHand({
      strict: {
        top1: [
          [50, 52],
          [51, 53],
        ],
      },
      other: {
        top1: [
          [50, 52.5],
          [51, 53.6],
        ],
        shares: { arm: "strict", generations: 1 },
      },
    });
    expect(paired(both).map(({ generation }) => generation)).toEqual([1, "last", "ensemble"]);
  });

  it("leaves out seeds that one arm alone has, and values that are no number, and says so", () => {
    const both = studyByHand({
      strict: { top1: [[50], [51], [52], [53]] },
      other: { top1: [[50.5], [null], [Number.NaN], [53.5], [54]], seeds: [0, 1, 2, 3, 7], generations: 1 },
    });
    expect(at(0, "other", both)).toMatchObject({
      seeds: [0, 3],
      alone: { a: [7], b: [1] },
      noNumber: [2],
    });
    expect(at(0, "other", both)!.difference).toBeCloseTo(0.005, 12);
  });

  it("has no interval for one seed, and no number for none", () => {
    const one = studyByHand({ strict: { top1: [[50]] }, other: { top1: [[51]] } });
    expect(paired(one)[0]).toMatchObject({
      low: undefined,
      high: undefined,
      p: undefined,
      adjusted: undefined,
    });
    const none = studyByHand({ strict: { top1: [[50]], seeds: [0] }, other: { top1: [[51]], seeds: [1] } });
    expect(paired(none)[0]).toMatchObject({ seeds: [], difference: Number.NaN, alone: { a: [1], b: [0] } });
  });

  it("has neither interval nor p where all differences are equal but for rounding", () => {
    // Of 200 test images, each arm's accuracy moves by half a point: 0.51 − 0.5 and 0.29 − 0.28 differ in the last bits.
    const equal = studyByHand({
      strict: { top1: [[50], [28], [48.5], [50], [51]] },
      other: { top1: [[51], [29], [49.5], [51], [52]] },
      third: { top1: [[51], [29.5], [49.5], [51], [52]] },
    });
    expect(new Set([0.51 - 0.5, 0.29 - 0.28]).size).toBe(2);
    const one = at(0, "other", equal)!;
    expect(one).toMatchObject({ seeds: [0, 1, 2, 3, 4], deviation: 0, together: 1 });
    expect(one.difference).toBeCloseTo(0.01, 12);
    for (const key of ["low", "high", "p", "adjusted", "bootstrap", "simultaneous"] as const)
      expect(one[key]).toBeUndefined();
    expect(at(0, "third", equal)).toMatchObject({ together: 1, low: expect.any(Number) });
    const level = studyByHand({ strict: { top1: [[50], [52]] }, other: { top1: [[50], [52]] } });
    expect(at(0, "other", level)).toMatchObject({ difference: 0, low: undefined, p: undefined });
  });

  it("corrects the arms at one place together, those of one seed not counted", () => {
    const many = studyByHand({
      strict: { top1: [[50], [51], [50.4]] },
      one: { top1: [[50.5], [51.6], [50.8]] },
      two: { top1: [[50.1], [51.5], [50.2]] },
      single: { top1: [[53]] },
    });
    const [one, two, single] = paired(many).filter(({ generation }) => generation === 0);
    expect([one!.together, two!.together, single!.together]).toEqual([2, 2, 1]);
    expect(one!.adjusted).toBeCloseTo(2 * one!.p!, 12);
    expect(two!.adjusted).toBeCloseTo(two!.p!, 12);
    expect(single).toMatchObject({ adjusted: undefined, simultaneous: undefined });
    expect(one!.simultaneous!.low).toBeLessThan(one!.low!);
    expect(one!.simultaneous!.high).toBeGreaterThan(one!.high!);
  });
});

it("swapped turns a comparison round, and twice is once", () => {
  const one = at(0)!;
  const direct = paired(study, { reference: "tolerant" })[0]!;
  const other = swapped(one);
  expect(other).toMatchObject({ a: "strict", b: "tolerant", seeds: direct.seeds });
  for (const key of ["difference", "low", "high"] as const) expect(other[key]).toBeCloseTo(direct[key]!, 12);
  expect(swapped(other)).toEqual(one);
});

it("seeds are paired whatever the order in which the arms list them", () => {
  const values = fc.uniqueArray(fc.tuple(fc.nat(50), fc.integer({ min: 0, max: 100 })), {
    selector: ([seed]) => seed,
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [one, other] = [
        pair(new Map(a), new Map(b)),
        pair(new Map([...a].reverse()), new Map([...b].reverse())),
      ];
      expect(other.seeds.toReversed()).toEqual(one.seeds);
      if (one.seeds.length > 0) expect(other.difference).toBeCloseTo(one.difference, 9);
      expect(one.seeds.length + one.alone.a.length).toBe(a.length);
      expect(one.seeds.length + one.alone.b.length).toBe(b.length);
    }),
  );
});

it("the bootstrap's seed is explicit", () => {
  const rows = [[50], [51], [50.4], [50.7], [52]];
  const both = studyByHand({ a: { top1: rows }, b: { top1: rows.map(([x], i) => [x! + i * i * 0.1]) } });
  const [a, b] = [armNamed(both, "a"), armNamed(both, "b")];
  const interval = (bootstrapSeed: number | false) =>
    compareAt(a, b, 0, { metric: "top1", part: "test", bootstrapSeed })[0]!.bootstrap;
  expect(interval(1)).toEqual(interval(1));
  expect(interval(1)).not.toEqual(interval(2));
  expect(interval(false)).toBeUndefined();
});
