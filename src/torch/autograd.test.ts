import { describe, expect, it } from "vitest";
import * as torch from "./index.js";

describe("autograd", () => {
  it("adds gradients up over backward calls", () => {
    const x = torch.tensor([1, 2, 3], { requiresGrad: true });
    x.square().sum().backward();
    x.square().sum().backward();
    expect(x.grad!.tolist()).toEqual([4, 8, 12]);
    x.grad = undefined;
    expect(x.grad).toBeUndefined();
  });

  it("gives gradients without touching leaves, and second derivatives", () => {
    const x = torch.tensor([2], { requiresGrad: true, dtype: "float64" });
    const unused = torch.tensor([1], { requiresGrad: true });
    const [first, none] = torch.grad(x.pow(3), [x, unused], { createGraph: true });
    expect(first!.item()).toBe(12);
    expect(none).toBeUndefined();
    const [second] = torch.grad(first!, [x]);
    expect(second!.item()).toBe(12);
    expect(x.grad).toBeUndefined();
  });

  it("weighs by the gradient that flows in", () => {
    const x = torch.tensor([1, 2], { requiresGrad: true });
    x.mul(3).backward(torch.tensor([1, 10]));
    expect(x.grad!.tolist()).toEqual([3, 30]);
    expect(() => x.mul(3).backward()).toThrow(/scalar/);
  });

  it("records nothing in noGrad and inferenceMode, which end with their function", () => {
    const x = torch.tensor([1], { requiresGrad: true });
    expect(torch.noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    expect(torch.noGrad(() => torch.enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
    expect(torch.inferenceMode(() => x.mul(2)).requiresGrad).toBe(false);
    expect(() => torch.noGrad(() => x.matmul(torch.zeros([7, 7])))).toThrow();
    expect(x.mul(2).requiresGrad).toBe(true);
    expect(() => torch.noGrad(async () => 1)).toThrow(/synchronous/);
  });

  it("refuses a gradient of another shape", () => {
    const x = torch.tensor([1, 2], { requiresGrad: true });
    expect(() => {
      x.grad = torch.zeros([3]);
    }).toThrow(/float32\[3\].*float32\[2\]/);
  });
});

describe("Generator", () => {
  it("repeats from a seed and from a saved state", () => {
    const a = new torch.Generator(7);
    const first = torch.randn([5], { generator: a }).tolist();
    const state = a.state();
    const second = torch.rand([5], { generator: a }).tolist();
    expect(torch.randn([5], { generator: new torch.Generator(7) }).tolist()).toEqual(first);
    a.setState(state);
    expect(torch.rand([5], { generator: a }).tolist()).toEqual(second);
    expect(() => a.setState(torch.zeros([3]))).toThrow();
    expect(() => new torch.Generator(-1)).toThrow(/negative/);
    expect(() => new torch.Generator(0.5)).toThrow(/integer/);
  });
});
