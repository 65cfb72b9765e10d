import { describe, expect, it } from "vitest";
import { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { read } from "./fixtures/cases.js";
import { clipGradients, GradScaler, SGD } from "./index.js";

interface Case {
  maxNorm: number;
  shapes: number[][];
  before: number[][];
  norm: number;
  after: number[][];
}

describe("clipGradients", () => {
  it.each(read<Case[]>("./clip.json"))("scales as torch.nn.utils.clip_grad_norm_: $maxNorm", (one) => {
    const gradients = one.before.map((values, i) =>
      torch.tensor(values, { dtype: "float64", shape: one.shapes[i]! }),
    );
    const norm = clipGradients(gradients, one.maxNorm);
    // Squares, their sum, the root, the factor and the product: fewer than twenty roundings.
    const relative = 20 * 2 ** -53;
    expect(Math.abs(norm.item() - one.norm)).toBeLessThanOrEqual(relative * one.norm);
    gradients.forEach((gradient, i) => {
      Array.from(gradient.toTypedArray(), Number).forEach((value, j) => {
        const expected = one.after[i]![j]!;
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(relative * Math.abs(expected));
      });
    });
  });

  it("takes no gradients, and leaves no tensors behind", () => {
    expect(clipGradients([], 1).item()).toBe(0);
    const gradients = [torch.ones([3]), torch.ones([2])];
    const { tensors } = torch.memoryStats();
    torch.scope(() => {
      clipGradients(gradients, 1);
    });
    expect(torch.memoryStats().tensors).toBe(tensors);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a norm of %d", (maxNorm) => {
    expect(() => clipGradients([torch.ones([1])], maxNorm)).toThrow(RangeError);
  });
});

describe("GradScaler.step with clipNorm", () => {
  const started = () => {
    const weight = new Parameter(torch.tensor([0, 0]));
    return { weight, optimizer: new SGD([weight], { learningRate: 1 }) };
  };

  it("clips the gradients without their scale", () => {
    const { weight, optimizer } = started();
    const scaler = new GradScaler({ initialScale: 8 });
    // Unscaled, the gradient is [3, 4], of norm 5.
    weight.grad = torch.tensor([24, 32]);
    scaler.step(optimizer, { clipNorm: 2.5 });
    (weight.tolist() as number[]).forEach((value, i) => {
      expect(value).toBeCloseTo([-1.5, -2][i]!, 5);
    });
  });

  it("still leaves a step out that is not finite", () => {
    const { weight, optimizer } = started();
    const scaler = new GradScaler({ initialScale: 8 });
    weight.grad = torch.tensor([1, Number.POSITIVE_INFINITY]);
    scaler.step(optimizer, { clipNorm: 1 });
    expect(weight.tolist()).toEqual([0, 0]);
    expect(scaler.stateDict().scale!.item()).toBe(4);
  });
});
