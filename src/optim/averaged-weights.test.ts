import { describe, expect, it } from "vitest";
import { Module, Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { read } from "./fixtures/cases.js";
import { AveragedWeights } from "./index.js";

type State = Record<string, number[]>;

interface Case {
  decay?: number;
  warmup?: boolean;
  equal?: boolean;
  steps: { weights: State; average: State }[];
}

class Net extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  /** The same tensor under another name, as tied weights are. */
  readonly tied: Parameter;
  readonly runningMean: torch.Tensor;
  readonly count: torch.Tensor;

  constructor(dtype: "float32" | "float64" = "float64") {
    super();
    this.weight = new Parameter(torch.zeros([2, 2], { dtype }));
    this.bias = new Parameter(torch.zeros([2], { dtype }));
    this.tied = this.bias;
    this.runningMean = torch.keep(torch.zeros([2], { dtype }));
    this.count = torch.keep(torch.tensor(7, { dtype: "int64" }));
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return x.mul(this.weight);
  }
}

function set(net: Net, { weight, bias, running_mean }: State): void {
  torch.noGrad(() => {
    for (const [own, values] of [
      [net.weight, weight],
      [net.bias, bias],
      [net.runningMean, running_mean],
    ] as const) {
      own.copy_(torch.tensor(values!, { dtype: own.dtype, shape: [...own.shape] }));
    }
  });
}

const flat = (tensor: torch.Tensor) => Array.from(tensor.toTypedArray(), Number);

/** A network whose weights are 1, averaged with others of 3. */
function started(decay = 0.75) {
  const net = new Net();
  const all = (value: number) => ({
    weight: [value, value, value, value],
    bias: [value, value],
    running_mean: [value, value],
  });
  const averaged = new AveragedWeights(net, { decay, warmup: false });
  set(net, all(1));
  averaged.update();
  set(net, all(3));
  averaged.update();
  return { net, averaged };
}

describe("AveragedWeights", () => {
  it.each(read<Case[]>("./averaged.json"))(
    "averages as torch.optim.swa_utils.AveragedModel: decay $decay, warm-up $warmup, equal $equal",
    ({ steps, ...options }) => {
      const net = new Net();
      const averaged = new AveragedWeights(net, options);
      for (const { weights, average } of steps) {
        set(net, weights);
        averaged.update();
        const ours = averaged.weights();
        for (const [name, values] of Object.entries(average)) {
          flat(ours[name]!).forEach((value, i) => {
            // Five roundings a step, of numbers below 2.
            expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(5 * steps.length * 2 ** -52);
          });
        }
        expect(ours.tied!.tolist()).toEqual(ours.bias!.tolist());
        expect(ours.count!.item()).toBe(7);
      }
      expect(averaged.updates).toBe(steps.length);
    },
  );

  it("leaves weights that stand still as they are, to the bit, in float32", () => {
    const net = new Net("float32");
    set(net, { weight: [0.1, 1 / 3, -7.7, 1e-20], bias: [3e9, -0.3], running_mean: [0.7, 0.9] });
    const averaged = new AveragedWeights(net, { decay: 0.9999, warmup: false });
    for (let i = 0; i < 50; i++) averaged.update();
    expect(averaged.weights().weight!.tolist()).toEqual(net.weight.tolist());
    expect(averaged.weights().bias!.tolist()).toEqual(net.bias.tolist());
  });

  it("stands in the network as long as it is lent", () => {
    const { net, averaged } = started();
    {
      using _swapped = averaged.swap();
      expect(net.bias.tolist()).toEqual([1.5, 1.5]);
      expect(averaged.weights().bias!.tolist()).toEqual([1.5, 1.5]);
      expect(() => averaged.update()).toThrow("swap them back first");
      expect(() => averaged.stateDict()).toThrow("swap them back first");
      expect(() => averaged.swap()).toThrow("already");
    }
    expect(net.bias.tolist()).toEqual([3, 3]);
    expect(averaged.weights().running_mean!.tolist()).toEqual([1.5, 1.5]);
    averaged.update();
    expect(averaged.weights().bias!.tolist()).toEqual([1.875, 1.875]);
  });

  it("copies itself into another network", () => {
    const { averaged } = started();
    const other = new Net();
    averaged.copyTo(other);
    expect([other.weight, other.bias, other.runningMean].map(flat)).toEqual([
      [1.5, 1.5, 1.5, 1.5],
      [1.5, 1.5],
      [1.5, 1.5],
    ]);
  });

  it("goes on from a saved state as it would have", () => {
    const { net, averaged } = started();
    const saved = Object.fromEntries(
      Object.entries(averaged.stateDict()).map(([name, tensor]) => [name, tensor.clone()]),
    );
    const resumed = new AveragedWeights(net, { decay: 0.75, warmup: false });
    resumed.loadStateDict(saved);
    averaged.update();
    resumed.update();
    expect(resumed.weights().weight!.tolist()).toEqual(averaged.weights().weight!.tolist());
    expect(resumed.updates).toBe(3);
    const { updates: _updates, ...without } = saved;
    expect(() => resumed.loadStateDict(without)).toThrow("updates of shape [] is missing");
    expect(() => resumed.loadStateDict({ ...saved, "average.bias": torch.zeros([3]) })).toThrow(
      "average.bias of shape [2] is missing",
    );
    expect(resumed.updates).toBe(3);
  });

  it("holds no memory from update to update, and gives all back", () => {
    const net = new Net();
    const { tensors: before } = settled();
    const averaged = new AveragedWeights(net);
    averaged.update();
    const { tensors } = torch.memoryStats();
    for (let i = 0; i < 10; i++) averaged.update();
    expect(torch.memoryStats().tensors).toBe(tensors);
    averaged.dispose();
    expect(settled().tensors).toBe(before);
  });

  it.each([1, -0.1, Number.NaN])("refuses a decay of %d", (decay) => {
    expect(() => new AveragedWeights(new Net(), { decay })).toThrow(RangeError);
  });
});
