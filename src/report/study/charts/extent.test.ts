import { expect, test } from "vitest";
import { estimateMean } from "../../../study/statistics/index.js";
import { extentOf, isCut, widened, within } from "./extent.js";

const point = (...seeds: number[]) => ({ mean: estimateMean(seeds), seeds });

test("shows means, seeds, levels and the intervals of many seeds", () => {
  const points = [point(0.5, 0.52, 0.51, 0.53), point(0.6, 0.61, 0.6, 0.61)];
  const { low } = points[0]!.mean.interval!;
  expect(extentOf(points)[0]).toBeCloseTo(low, 12);
  expect(isCut(extentOf(points), points)).toBe(false);
  expect(extentOf(points, [0.04])[0]).toBe(0.04);
});

test("the interval of two seeds goes on beyond the axis where all else would become a line", () => {
  const points = [point(0.5, 0.52)];
  const { low, high } = points[0]!.mean.interval!;
  expect(high - low).toBeGreaterThan(0.2);
  const extent = extentOf(points);
  expect(extent[0]).toBeCloseTo(0.49, 12);
  expect(extent[1]).toBeCloseTo(0.53, 12);
  expect(isCut(extent, points)).toBe(true);
  expect([within(extent, low), within(extent, 0.5), within(extent, high)]).toEqual([
    extent[0],
    0.5,
    extent[1],
  ]);
});

test("one value alone gets an axis around it", () => {
  const [low, high] = widened([0.5, 0.5]);
  expect([low, high]).toEqual([0.495, 0.505]);
  expect(extentOf([point(0.5)])).toEqual([0.495, 0.505]);
  expect(widened([0.1, 0.9])).toEqual([0.1, 0.9]);
});
