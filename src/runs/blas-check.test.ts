import { expect, test } from "vitest";
import { adviceFor, measureBlas } from "./blas-check.js";

test("measures a speed in little time", () => {
  measureBlas();
  const start = performance.now();
  const { gflops, threads } = measureBlas();
  expect(performance.now() - start).toBeLessThan(1000);
  expect(gflops).toBeGreaterThan(0);
  expect(threads).toBeGreaterThanOrEqual(1);
});

test("warns of a reference BLAS and not of an optimised one", () => {
  expect(adviceFor(1.6, 1)).toContain("libopenblas0-openmp");
  expect(adviceFor(1.6, 64)).toContain("libopenblas0-openmp");
  expect(adviceFor(107, 2)).toBeUndefined();
  expect(adviceFor(107, 64)).toBeUndefined();
});
