import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allReduceSeconds,
  bucketsOf,
  busyShareOf,
  efficiency,
  linkOf,
  stepSeconds,
  summingSeconds,
} from "./step-model.js";

const link = { hopSeconds: 1e-4, bytesPerSecond: 1e9 };
const mebibyte = 2 ** 20;

describe("the time of a step of several ranks", () => {
  it("is that of computing where there is one", () => {
    expect(stepSeconds({ computeSeconds: 2, gradientBytes: 1e9 }, 1, link)).toBe(2);
    expect(efficiency({ computeSeconds: 2, gradientBytes: 1e9 }, 1, link)).toBe(1);
  });

  it("has all of a lone bucket's sum, which nothing can hide", () => {
    // Two ranks: 3 hops and 1e6 bytes each way; and 3 hops with 64 bytes.
    const work = { computeSeconds: 1, gradientBytes: 1e6 };
    expect(summingSeconds(work, 2, link)).toBeCloseTo(3e-4 + 1e-3, 12);
    expect(stepSeconds(work, 2, link)).toBeCloseTo(1 + 3e-4 + 1e-3 + 3e-4 + 64e-9, 12);
  });

  it("has the last of many buckets where a backward pass is long", () => {
    const work = { computeSeconds: 10, gradientBytes: 40 * mebibyte };
    expect(bucketsOf(work, 8)).toBe(10);
    const each = allReduceSeconds(4 * mebibyte, 8, link);
    expect(each).toBeCloseTo(21e-4 + (1.75 * 4 * mebibyte) / 1e9, 12);
    expect(stepSeconds(work, 8, link)).toBeCloseTo(10 + each + allReduceSeconds(64, 8, link), 12);
  });

  it("has what a short backward pass leaves over", () => {
    const work = { computeSeconds: 0.03, gradientBytes: 40 * mebibyte };
    const summing = 10 * allReduceSeconds(4 * mebibyte, 8, link);
    const hidden = ((0.03 * 2) / 3) * 0.9;
    expect(stepSeconds(work, 8, link)).toBeCloseTo(
      0.03 + summing - hidden + allReduceSeconds(64, 8, link),
      12,
    );
  });

  const works = fc.record({
    computeSeconds: fc.double({ min: 1e-4, max: 10, noNaN: true }),
    gradientBytes: fc.integer({ min: 1, max: 1e9 }),
    busyShare: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const links = fc.record({
    hopSeconds: fc.double({ min: 1e-6, max: 1e-2, noNaN: true }),
    bytesPerSecond: fc.double({ min: 1e6, max: 1e11, noNaN: true }),
  });

  it("lies between computing alone, and computing and summing one after the other", () => {
    fc.assert(
      fc.property(works, links, fc.integer({ min: 2, max: 1000 }), (work, link, ranks) => {
        const seconds = stepSeconds(work, ranks, link);
        const all =
          work.computeSeconds + summingSeconds(work, ranks, link) + allReduceSeconds(64, ranks, link);
        expect(seconds).toBeGreaterThan(work.computeSeconds);
        expect(seconds).toBeLessThanOrEqual(all * (1 + 1e-12));
      }),
    );
  });

  it("grows with the ranks for buckets of one size, and shrinks with the link's speed", () => {
    fc.assert(
      fc.property(works, links, fc.integer({ min: 2, max: 1000 }), (each, link, ranks) => {
        const work = { ...each, bucketBytes: 4 * mebibyte };
        const seconds = stepSeconds(work, ranks, link);
        const slack = 1 + 1e-12;
        expect(stepSeconds(work, ranks + 1, link) * slack).toBeGreaterThanOrEqual(seconds);
        const faster = { ...link, bytesPerSecond: 2 * link.bytesPerSecond };
        expect(stepSeconds(work, ranks, faster)).toBeLessThanOrEqual(seconds * slack);
      }),
    );
  });
});

it("ResNet-50 on clusters is what docs/scale.md says", () => {
  const efficiencies = (computeSeconds: number, mostBytes: number) =>
    [10, 100].flatMap((gigabits) =>
      [8, 64].map((nodes) => {
        const bytesPerSecond = Math.min((gigabits * 1e9) / 8, mostBytes);
        const work = { computeSeconds, gradientBytes: 4 * 25_557_032 };
        return Number((100 * efficiency(work, nodes, { hopSeconds: 50e-6, bytesPerSecond })).toFixed(1));
      }),
    );
  expect(efficiencies(2, Number.POSITIVE_INFINITY)).toEqual([99.6, 97.1, 99.9, 98.9]);
  expect(efficiencies(2, 5e8)).toEqual([99.2, 94.4, 99.2, 94.4]);
  expect(efficiencies(0.125, Number.POSITIVE_INFINITY)).toEqual([58, 46.2, 97.9, 84.5]);
  expect(efficiencies(0.125, 5e8)).toEqual([29.1, 24.4, 29.1, 24.4]);
});

it("pieces that are measured are found again", () => {
  const [small, large] = [allReduceSeconds(0, 4, link), allReduceSeconds(1e8, 4, link)];
  const found = linkOf(4, small, { bytes: 1e8, seconds: large });
  expect(found.hopSeconds).toBeCloseTo(link.hopSeconds, 12);
  expect(found.bytesPerSecond / link.bytesPerSecond).toBeCloseTo(1, 9);
  const work = { computeSeconds: 0.2, gradientBytes: 1e8 };
  const seconds = stepSeconds({ ...work, busyShare: 0.7 }, 2, link);
  expect(busyShareOf(work, 2, link, seconds)).toBeCloseTo(0.7, 6);
});
