import { expect, test } from "vitest";
import { drawnArms, drawnGrid, makeStudy } from "../../study/testing/make-study.js";
import { gridOf } from "./grid.js";

test("the arms of a search over two options form a grid, its values by size", () => {
  const arms = { strict: drawnArms.strict!, ...drawnGrid([10, 3], [0.7, 0.8]) };
  const grid = gridOf(makeStudy({ arms }))!;
  expect(grid.x).toEqual({ name: "patriarch.k", values: ["3", "10"] });
  expect(grid.y).toEqual({ name: "patriarch.primaryScore", values: ["0.7", "0.8"] });
  expect(grid.arms).toHaveLength(4);
  expect(grid.arms[1]).toEqual({ arm: "k=10,primaryScore=0.8", x: "10", y: "0.8" });
});

test("values that are words keep their order", () => {
  const at = (schedule: string, epochs: number) => ({ ...drawnArms.strict!, at: { schedule, epochs } });
  const arms = { a: at("step", 60), b: at("cosine", 60), c: at("cosine", 30) };
  expect(gridOf(makeStudy({ arms }))).toMatchObject({
    x: { values: ["step", "cosine"] },
    y: { values: ["30", "60"] },
  });
});

test("one option, three options and arms without a place form no grid of two", () => {
  expect(gridOf(makeStudy())).toBeUndefined();
  expect(gridOf(makeStudy({ arms: drawnGrid([3, 5, 10], [0.8]) }))).toBeUndefined();
  const three = Object.entries(drawnGrid([3, 5], [0.7, 0.8])).map(([name, arm], i) => [
    name,
    { ...arm, at: { ...arm.at, epochs: 10 * (i % 3) } },
  ]);
  expect(gridOf(makeStudy({ arms: Object.fromEntries(three) }))).toBeUndefined();
});
