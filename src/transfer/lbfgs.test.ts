import { expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { minimise } from "./lbfgs.js";

const start = (...values: number[]) => torch.tensor(values, { dtype: "float64" });

it("finds the minimum of a quadratic function whose directions differ a million times", async () => {
  const curvature = start(1e-3, 1, 1e3);
  const centre = start(3, -2, 5);
  const found = await minimise(
    start(0, 0, 0),
    (x) => {
      const gradient = x.sub(centre).mul(curvature);
      return { value: gradient.mul(x.sub(centre)).sum().item() / 2, gradient };
    },
    { tolerance: 1e-10 },
  );
  expect(found.sub(centre).abs().max().item()).toBeLessThan(1e-6);
});

it("leaves the start as it is, and stops there where it is the minimum", async () => {
  const zero = start(0);
  const found = await minimise(zero, (x) => ({ value: 0, gradient: x.mul(1) }), { tolerance: 1e-3 });
  expect([zero.tolist(), found.tolist()]).toEqual([[0], [0]]);
});

it("stops when it is told to, or after so many steps, and refuses what has no value", async () => {
  const steep = (x: torch.Tensor) => ({ value: x.exp().sum().item(), gradient: x.exp() });
  const signal = AbortSignal.abort();
  await expect(minimise(start(1), steep, { tolerance: 0, signal })).rejects.toThrow("aborted");
  const found = await minimise(start(1), steep, { tolerance: 0, maxSteps: 3 });
  expect(found.item()).toBeLessThan(0);
  const none = () => ({ value: Number.NaN, gradient: start(1) });
  await expect(minimise(start(1), none, { tolerance: 1 })).rejects.toThrow("not finite");
});
