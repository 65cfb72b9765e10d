import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { Dropout, dropout } from "./index.js";

const numbers = (x: torch.Tensor) => Array.from(x.toTypedArray(), Number);

describe("dropout", () => {
  const x = torch.ones([64, 100], { dtype: "float64" });

  it("makes the share zero that it is asked for, and keeps the mean", () => {
    for (const rate of [0.1, 0.3, 0.75]) {
      const found = numbers(dropout(x, { rate, seed: 1 }));
      const zeros = found.filter((value) => value === 0).length;
      // Five deviations of a binomial distribution.
      expect(Math.abs(zeros - 6400 * rate)).toBeLessThan(5 * Math.sqrt(6400 * rate * (1 - rate)));
      for (const value of found) if (value !== 0) expect(value).toBeCloseTo(1 / (1 - rate), 12);
    }
  });

  it("follows from the seed alone", () => {
    const at = (seed: number) => numbers(dropout(x, { rate: 0.5, seed }));
    expect(at(7)).toEqual(at(7));
    // Independent masks differ in half of the elements.
    const other = at(8);
    const differing = at(7).filter((value, i) => value !== other[i]).length;
    expect(Math.abs(differing - 3200)).toBeLessThan(5 * 40);
  });

  it("gives the gradient to what stays", () => {
    const given = torch.randn([8, 9], { generator: new torch.Generator(0) }).requiresGrad_();
    const y = dropout(given, { rate: 0.5, seed: 3 });
    y.sum().backward();
    const kept = numbers(y.detach()).map((value) => (value === 0 ? 0 : 2));
    expect(numbers(given.grad!)).toEqual(kept);
    expect(kept).toContain(0);
    expect(kept).toContain(2);
  });

  it("draws for a part of a batch what it draws for the whole, in either order of memory", () => {
    for (const format of ["contiguous", "channelsLast"] as const) {
      const drawn = torch.ones([6, 3, 4, 5], { dtype: "float64" });
      const whole = format === "channelsLast" ? drawn.contiguous("channelsLast") : drawn;
      const expected = numbers(dropout(whole, { rate: 0.5, seed: 4 }));
      const rows = { start: 2, of: 6 };
      const part = dropout(whole.narrow(0, 2, 3), { rate: 0.5, seed: 4, rows });
      expect(numbers(part)).toEqual(expected.slice(2 * 60, 5 * 60));
    }
  });

  it("changes nothing at rate 0, and refuses rates out of range", () => {
    expect(numbers(dropout(x, { rate: 0, seed: 1 }))).toEqual(numbers(x));
    for (const rate of [-0.1, 1, Number.NaN]) {
      expect(() => dropout(x, { rate, seed: 1 })).toThrow(/dropout rate must be from 0 to below 1/);
    }
  });
});

describe("Dropout", () => {
  const make = (rate = 0.5, seed = 1) => new Dropout(rate, { generator: new torch.Generator(seed) });
  const x = torch.ones([8, 16]);

  it("draws another mask for each batch, the same for a layer of the same seed", () => {
    const [layer, twin] = [make(), make()];
    const first = numbers(layer.forward(x));
    expect(numbers(layer.forward(x))).not.toEqual(first);
    expect(layer.batches).toBe(2);
    expect(numbers(twin.forward(x))).toEqual(first);
    expect(numbers(make(0.5, 2).forward(x))).not.toEqual(first);
  });

  it("goes on from its count", () => {
    const [layer, resumed] = [make(), make()];
    layer.forward(x);
    resumed.batches = 1;
    expect(numbers(resumed.forward(x))).toEqual(numbers(layer.forward(x)));
  });

  it("returns what it is given in evaluation and at rate 0, and counts nothing", () => {
    for (const layer of [make().eval(), make(0)]) {
      expect(layer.forward(x)).toBe(x);
      expect(layer.batches).toBe(0);
    }
    expect(make().stateDict()).toEqual({});
  });

  it("refuses rates out of range", () => {
    for (const rate of [-0.1, 1, Number.NaN])
      expect(() => make(rate)).toThrow(/dropout rate must be from 0 to below 1/);
  });
});
