import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import {
  Conv2d,
  kaimingNormalFanIn,
  kaimingNormalFanOut,
  Linear,
  normal,
  uniformFanIn,
  withoutInitialisation,
} from "./index.js";

const numbers = (tensor: torch.Tensor) => Array.from(tensor.toTypedArray(), Number);

describe.each([
  ["kaimingNormalFanOut", "fan-out", kaimingNormalFanOut, 200 * 9],
  ["kaimingNormalFanIn", "fan-in", kaimingNormalFanIn, 10 * 9],
] as const)("%s", (_, name, draw, fan) => {
  it(`draws with mean 0 and variance 2 / ${name}`, () => {
    const weight = torch.empty([200, 10, 3, 3]);
    draw(weight, new torch.Generator(0));
    const drawn = numbers(weight);
    const expected = Math.sqrt(2 / fan);
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
    const std = Math.sqrt(drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length);
    // 18,000 draws: the standard error of the ratio is 0.5 %, that of the mean 0.7 % of std.
    expect(Math.abs(std / expected - 1)).toBeLessThan(0.03);
    expect(Math.abs(mean / expected)).toBeLessThan(0.04);
    // Not uniform: 4.6 % of a normal distribution lie beyond two standard deviations.
    const far = drawn.filter((x) => Math.abs(x) > 2 * expected).length / drawn.length;
    expect(far).toBeGreaterThan(0.03);
  });
});

describe("uniformFanIn", () => {
  it("fills ±1 / sqrt(fan-in)", () => {
    const weight = torch.empty([20, 50, 2, 2]);
    uniformFanIn(weight, new torch.Generator(0));
    const drawn = numbers(weight);
    const bound = 1 / Math.sqrt(200);
    const largest = Math.max(...drawn);
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.99 * bound);
    expect(Math.min(...drawn)).toBeLessThan(-0.99 * bound);
  });

  it("fills a bias by the fan-in that it is given", () => {
    const bias = torch.empty([2000]);
    uniformFanIn(bias, new torch.Generator(0), 16);
    const largest = Math.max(...numbers(bias));
    expect(largest).toBeLessThanOrEqual(0.25);
    expect(largest).toBeGreaterThan(0.24);
  });
});

it.each([
  ["Linear", (generator: torch.Generator) => new Linear(400, 30, { generator }), 400],
  ["Conv2d", (generator: torch.Generator) => new Conv2d(40, 30, 5, { generator, groups: 2 }), 500],
] as const)("%s starts within ±1 / sqrt(fan-in), by its generator alone", (_, make, fanIn) => {
  const layer = make(new torch.Generator(5));
  const bound = 1 / Math.sqrt(fanIn);
  for (const parameter of layer.parameters()) {
    const largest = Math.max(...numbers(parameter).map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.8 * bound);
  }
  const again = make(new torch.Generator(5));
  expect(again.parameters().map(numbers)).toEqual(layer.parameters().map(numbers));
});

it("normal draws with the deviation that it is given", () => {
  const weight = torch.empty([200, 100]);
  normal(weight, 0.01, new torch.Generator(0));
  const drawn = numbers(weight);
  const std = Math.sqrt(drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length);
  // 20,000 draws: the standard error of the ratio is 0.5 %.
  expect(Math.abs(std / 0.01 - 1)).toBeLessThan(0.03);
});

it("withoutInitialisation draws nothing, within it alone", () => {
  const drawn = () => {
    const generator = new torch.Generator(0);
    const layer = withoutInitialisation(() => new Linear(3, 2, { generator }));
    expect(layer.weight.shape).toEqual([2, 3]);
    return numbers(torch.rand([2], { generator }));
  };
  expect(drawn()).toEqual(numbers(torch.rand([2], { generator: new torch.Generator(0) })));
  expect(() => withoutInitialisation(() => refuse())).toThrow("as it was meant to");
  const weight = torch.zeros([3, 3]);
  uniformFanIn(weight, new torch.Generator(0));
  expect(weight.abs().sum().item()).toBeGreaterThan(0);
});

function refuse(): never {
  throw new Error("as it was meant to");
}
