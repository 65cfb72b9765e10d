import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { BatchNorm2d, Conv2d, FoldedConvolution, foldBatchNorm, Module, ReLU, Sequential } from "./index.js";

const generator = new torch.Generator(1);

/** Batch norm far from the identity it starts as. */
function worn(channels: number): BatchNorm2d {
  const norm = new BatchNorm2d(channels);
  torch.noGrad(() => {
    norm.weight.uniform_(-2, 2, { generator });
    norm.bias.uniform_(-2, 2, { generator });
    norm.runningMean.uniform_(-2, 2, { generator });
    norm.runningVar.uniform_(0.1, 4, { generator });
  });
  return norm;
}

const images = () => torch.randn([2, 3, 8, 8], { generator, dtype: "float64" });

/** The largest change that folding makes to a network's answers. */
function change(model: Module): number {
  return torch.scope(() => {
    const x = images();
    const before = model.to({ dtype: "float64" }).eval().forward(x);
    return foldBatchNorm(model).forward(x).sub(before).abs().max().item();
  });
}

class Pair extends Module {
  readonly first = new Conv2d(3, 4, 3, { generator });
  readonly norm: Module = worn(4);

  override batchNormPairs() {
    return [["first", "norm"]] as const;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return this.norm.forward(this.first.forward(x));
  }
}

describe("foldBatchNorm", () => {
  it.each([
    ["a convolution without bias", [new Conv2d(3, 4, 3, { generator, bias: false }), worn(4)]],
    ["a convolution with bias", [new Conv2d(3, 4, 3, { generator }), worn(4)]],
    ["groups", [new Conv2d(3, 6, 3, { generator, groups: 3 }), worn(6), new ReLU()]],
  ])("answers as before in evaluation: %s", (_, modules) => {
    const model = new Sequential(...modules);
    expect(change(model)).toBeLessThan(1e-12);
    expect([...model.namedParameters().keys()]).toEqual(["1.convolution.weight", "1.convolution.bias"]);
    expect(model.namedBuffers().size).toBe(0);
  });

  it("folds the pairs that a module names, in nested modules too", () => {
    const model = new Sequential(new Pair(), new ReLU());
    expect(change(model)).toBeLessThan(1e-12);
    expect(model.namedModules().get("0.norm")).toBeInstanceOf(FoldedConvolution);
  });

  it("leaves batch norm alone that follows no convolution", () => {
    const model = new Sequential(worn(3), new Conv2d(3, 4, 3, { generator }), new ReLU(), worn(4));
    expect(change(model)).toBe(0);
    expect(model.namedBuffers().size).toBe(6);
  });

  it("leaves alone what serves in two places", () => {
    const convolution = new Conv2d(3, 3, 1, { generator });
    const norm = worn(3);
    const pairs = [convolution, worn(3), convolution, worn(3), new Conv2d(3, 3, 1, { generator }), norm];
    const model = new Sequential(...pairs, new Conv2d(3, 3, 1, { generator }), norm);
    expect(change(model)).toBe(0);
  });

  it("freezes the network, and changes nothing the second time", () => {
    const model = new Sequential(new Conv2d(3, 4, 3, { generator }), worn(4));
    expect(foldBatchNorm(model)).toBe(model);
    expect(model.parameters().some((parameter) => parameter.requiresGrad)).toBe(false);
    expect([...model.namedModules().values()].some((module) => module.training)).toBe(false);
    expect(change(model)).toBe(0);
  });

  it.each([true, false])("keeps the layout, and gives batch norm's memory back, with bias %j", (bias) => {
    const model = new Sequential(new Conv2d(3, 4, 3, { generator, bias }), worn(4));
    model.to({ memoryFormat: "channelsLast" });
    const before = settled().tensors;
    foldBatchNorm(model);
    expect(model.namedParameters().get("1.convolution.weight")!.isContiguous("channelsLast")).toBe(true);
    // Five tensors of batch norm go; a bias comes where there was none.
    expect(torch.memoryStats().tensors).toBe(before - (bias ? 5 : 4));
  });
});
