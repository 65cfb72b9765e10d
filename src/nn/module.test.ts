import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { BatchNorm2d, Conv2d, Linear, Module, Parameter, Sequential } from "./index.js";

const generator = new torch.Generator(1);

/** One of everything that a module may hold. */
class Mixed extends Module {
  readonly inputScale = new Parameter(torch.ones([3]));
  readonly callCount = torch.keep(torch.zeros([], { dtype: "int64" }));
  readonly stem = new Sequential(new Conv2d(3, 4, 3, { generator, bias: false }), new BatchNorm2d(4));
  readonly heads = [new Linear(4, 2, { generator }), new Linear(4, 2, { generator, bias: false })];
  readonly note = "not a part";
  readonly nothing = undefined;

  override forward(x: torch.Tensor): torch.Tensor {
    return this.stem.forward(x.mul(this.inputScale.reshape([1, 3, 1, 1])));
  }
}

const parameterNames = [
  "input_scale",
  "stem.0.weight",
  "stem.1.weight",
  "stem.1.bias",
  "heads.0.weight",
  "heads.0.bias",
  "heads.1.weight",
];
const bufferNames = ["call_count", "stem.1.running_mean", "stem.1.running_var", "stem.1.num_batches_tracked"];

function cloned(module: Module): Record<string, torch.Tensor> {
  return Object.fromEntries(Object.entries(module.stateDict()).map(([name, t]) => [name, t.clone()]));
}

describe("names", () => {
  it("are the fields' paths, in snake case for tensors", () => {
    const module = new Mixed();
    expect([...module.namedParameters().keys()]).toEqual(parameterNames);
    expect([...module.namedBuffers().keys()]).toEqual(bufferNames);
    expect(Object.keys(module.stateDict()).sort()).toEqual([...parameterNames, ...bufferNames].sort());
    expect([...module.namedModules().keys()]).toEqual(["", "stem", "stem.0", "stem.1", "heads.0", "heads.1"]);
  });

  it("reach into arrays of tensors and of arrays", () => {
    class Listed extends Module {
      readonly scaleFactors = [1, 2].map((value) => new Parameter(torch.full([1], value)));
      readonly branches = [[new Linear(1, 1, { generator, bias: false })], []];

      override forward(x: torch.Tensor): torch.Tensor {
        return this.branches[0]![0]!.forward(x);
      }
    }
    const names = ["scale_factors.0", "scale_factors.1", "branches.0.0.weight"];
    expect([...new Listed().namedParameters().keys()]).toEqual(names);
  });

  it("count a parameter once that two fields share", () => {
    const module = new Mixed() as Mixed & { tied: Parameter };
    module.tied = module.inputScale;
    expect(module.parameters()).toHaveLength(parameterNames.length);
    expect(Object.keys(module.stateDict())).toContain("tied");
  });
});

it("train, eval and requiresGrad_ reach every part", () => {
  const module = new Mixed();
  const modes = () => new Set([...module.namedModules().values()].map((part) => part.training));
  expect(modes()).toEqual(new Set([true]));
  expect(module.eval()).toBe(module);
  expect(modes()).toEqual(new Set([false]));
  module.train();
  expect(modes()).toEqual(new Set([true]));

  const asking = () => new Set(module.parameters().map((parameter) => parameter.requiresGrad));
  expect(asking()).toEqual(new Set([true]));
  expect(module.requiresGrad_(false)).toBe(module);
  expect(asking()).toEqual(new Set([false]));
  expect([...module.namedBuffers().values()].some((buffer) => buffer.requiresGrad)).toBe(false);
});

describe("to", () => {
  it("converts what is floating, in place, gradients dropped and asked for again", () => {
    const module = new Mixed();
    const parameters = module.parameters();
    module
      .forward(torch.ones([2, 3, 5, 5]))
      .sum()
      .backward();
    expect(module.inputScale.grad).toBeDefined();
    module.to({ dtype: "float64" });
    expect(module.parameters()).toEqual(parameters);
    expect(new Set(parameters.map((parameter) => parameter.dtype))).toEqual(new Set(["float64"]));
    expect(module.namedBuffers().get("stem.1.running_var")!.dtype).toBe("float64");
    expect(module.callCount.dtype).toBe("int64");
    expect(parameters.map((parameter) => parameter.grad)).toEqual(parameters.map(() => undefined));
    module
      .forward(torch.ones([2, 3, 5, 5], { dtype: "float64" }))
      .sum()
      .backward();
    expect(module.inputScale.grad!.dtype).toBe("float64");
  });

  it("lays convolution weights out without changing a value", () => {
    const module = new Mixed();
    const before = Object.entries(module.stateDict()).map(([name, t]) => [name, t.tolist()]);
    module.to({ memoryFormat: "channelsLast" });
    const weight = module.namedParameters().get("stem.0.weight")!;
    expect(weight.isContiguous("channelsLast")).toBe(true);
    expect(weight.isContiguous()).toBe(false);
    expect(Object.entries(module.stateDict()).map(([name, t]) => [name, t.tolist()])).toEqual(before);
  });
});

describe("stateDict", () => {
  it("shares memory with the module and asks for no gradients", () => {
    const module = new Mixed();
    const state = module.stateDict();
    state.input_scale!.fill_(7);
    expect(module.inputScale.tolist()).toEqual([7, 7, 7]);
    expect(Object.values(state).some((tensor) => tensor.requiresGrad)).toBe(false);
  });

  it("outlives a scope's end in the module", () => {
    const module = new Mixed();
    torch.scope(() => {
      module.stateDict();
    });
    expect(module.inputScale.tolist()).toEqual([1, 1, 1]);
  });
});

describe("loadStateDict", () => {
  it("copies into the tensors at hand, across dtypes and layouts", () => {
    const source = new Mixed().to({ dtype: "float64" });
    torch.noGrad(() => source.inputScale.fill_(3));
    const target = new Mixed().to({ memoryFormat: "channelsLast" });
    const parameters = target.parameters();
    target.loadStateDict(source.stateDict());
    expect(target.parameters()).toEqual(parameters);
    expect(target.inputScale.dtype).toBe("float32");
    expect(target.inputScale.tolist()).toEqual([3, 3, 3]);
    expect(target.inputScale.requiresGrad).toBe(true);
    const weight = target.namedParameters().get("stem.0.weight")!;
    expect(weight.isContiguous("channelsLast")).toBe(true);
    expect(weight.tolist()).toEqual(source.namedParameters().get("stem.0.weight")!.tolist());
    torch.noGrad(() => source.inputScale.fill_(4));
    expect(target.inputScale.tolist()).toEqual([3, 3, 3]);
  });

  it("names all that is wrong in one error, and copies nothing", () => {
    const module = new Mixed();
    const state = cloned(module);
    delete state["heads.0.bias"];
    delete state.call_count;
    state.extra = torch.zeros([1]);
    state.input_scale = torch.zeros([4]);
    state["stem.1.weight"] = torch.full([4], 9);
    expect(() => module.loadStateDict(state)).toThrow(
      "the weights do not fit the network; missing: call_count, heads.0.bias; unexpected: extra; " +
        "of another shape: input_scale is [4], expected [3]",
    );
    expect(module.namedParameters().get("stem.1.weight")!.tolist()).toEqual([1, 1, 1, 1]);
  });

  it("shortens long lists", () => {
    const module = new Mixed();
    expect(() => module.loadStateDict({})).toThrow(/missing: (\S+, ){10}and 1 more$/);
  });

  it("leaves alone what only one side has when it is not strict, but not other shapes", () => {
    const module = new Mixed();
    module.loadStateDict({ extra: torch.zeros([1]), input_scale: torch.zeros([3]) }, { strict: false });
    expect(module.inputScale.tolist()).toEqual([0, 0, 0]);
    expect(() => module.loadStateDict({ input_scale: torch.zeros([1]) }, { strict: false })).toThrow(
      "input_scale is [1], expected [3]",
    );
  });

  it("takes no inherited property for a tensor", () => {
    expect(() => new Mixed().loadStateDict(Object.create(new Mixed().stateDict()))).toThrow(/missing/);
  });
});

it("lives on after the scope it was made in, and is freed by dispose", () => {
  let module: Mixed | undefined;
  torch.scope(() => {
    module = new Mixed();
  });
  const tensors = [...module!.namedParameters().values(), ...module!.namedBuffers().values()];
  expect(tensors.map((tensor) => tensor.disposed)).toEqual(tensors.map(() => false));
  const before = settled().tensors;
  module!.dispose();
  expect(torch.memoryStats().tensors).toBe(before - tensors.length);
  expect(tensors.map((tensor) => tensor.disposed)).toEqual(tensors.map(() => true));
});
