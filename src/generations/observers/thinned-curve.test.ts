import fc from "fast-check";
import { expect, it } from "vitest";
import { ThinnedCurve } from "./thinned-curve.js";

it("holds all values as long as there is room, then means of equally many", () => {
  const curve = new ThinnedCurve(4);
  for (const [i, value] of [5, 7, 1].entries()) curve.add(i + 1, value);
  expect(curve.points).toEqual([
    [1, 5],
    [2, 7],
    [3, 1],
  ]);
  curve.add(4, 3);
  expect(curve.points).toEqual([
    [2, 6],
    [4, 2],
  ]);
  curve.add(5, 9);
  expect(curve.points.at(-1)).toEqual([5, 9]);
});

it("never grows beyond its bound, keeps its order and ends at the last value", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (values) => {
        const curve = new ThinnedCurve(16);
        for (const [i, value] of values.entries()) curve.add(i, value);
        const places = curve.points.map(([at]) => at);
        expect(places.length).toBeLessThanOrEqual(16);
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
        expect(places.at(-1)).toBe(values.length - 1);
        for (const [, mean] of curve.points) expect(mean).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
      },
    ),
  );
});
