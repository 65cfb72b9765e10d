import { expect, test } from "vitest";
import { type ForestRow, forestExtent } from "./forest.js";

const row = (difference: number, half?: number, together?: number): ForestRow => ({
  name: "student 1",
  kind: "network",
  difference,
  interval: half === undefined ? undefined : { low: difference - half, high: difference + half },
  together: together === undefined ? undefined : { low: difference - together, high: difference + together },
  clear: false,
  seeds: 2,
});

test("the axis holds 0, all differences and their intervals", () => {
  expect(forestExtent([row(0.02, 0.01), row(-0.01, 0.005)])).toEqual([
    expect.closeTo(-0.015, 12),
    expect.closeTo(0.03, 12),
  ]);
  expect(forestExtent([row(0.02)])).toEqual([0, 0.02]);
});

test("intervals that dwarf the differences do not decide the axis, nor do those of all arms together", () => {
  const [low, high] = forestExtent([row(0.01, 0.4), row(-0.01, 0.01)]);
  expect(low).toBeGreaterThan(-0.08);
  expect(high).toBeLessThan(0.08);
  const [, together] = forestExtent([row(0.01, 0.01, 0.9)]);
  expect(together).toBeLessThan(0.03);
});
