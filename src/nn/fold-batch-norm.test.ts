import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import {
  applyInOrder,
  BasicBlock,
  BatchNorm2d,
  Conv2d,
  checkBatchNormPairs,
  FoldedConvolution,
  FoldingError,
  foldBatchNorm,
  Module,
  ReLU,
  ResidualStage,
  Sequential,
} from "./index.js";
import { largest } from "./testing/rounding.js";

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

const conv = (from = 3, to = from) => new Conv2d(from, to, 1, { generator });
const images = () => torch.randn([2, 3, 8, 8], { generator, dtype: "float64" });

/** Folding adds up in another order: numbers of these networks, in float64, change by a few units of 2^-53 of them. */
const rounding = 1e-13;

/** The change that folding makes to a network's answers, relative to the largest of them. */
function change(model: Module): number {
  return torch.scope(() => {
    const x = images();
    const before = model.to({ dtype: "float64" }).eval().forward(x);
    return largest(foldBatchNorm(model, { example: x }).forward(x).sub(before)) / largest(before);
  });
}

const foldedIn = (model: Module) =>
  [...model.namedModules()].filter(([, module]) => module instanceof FoldedConvolution).map(([path]) => path);

/** A convolution and a batch norm, named as a pair, and what `forward` makes of them. */
class Named extends Module {
  readonly first: Module;
  readonly norm: Module;
  readonly other = conv();

  constructor(
    readonly compute: (first: Module, norm: Module, x: torch.Tensor, other: Module) => torch.Tensor,
  ) {
    super();
    this.first = conv();
    this.norm = worn(3);
  }

  override batchNormPairs() {
    return [["first", "norm"]] as const;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return this.compute(this.first, this.norm, x, this.other);
  }
}

describe("foldBatchNorm", () => {
  it.each([
    ["a convolution without bias", [new Conv2d(3, 4, 3, { generator, bias: false }), worn(4)]],
    ["a convolution with bias", [new Conv2d(3, 4, 3, { generator }), worn(4)]],
    ["groups", [new Conv2d(3, 6, 3, { generator, groups: 3 }), worn(6), new ReLU()]],
  ])("answers as before in evaluation: %s", (_, modules) => {
    const model = new Sequential(...modules);
    expect(change(model)).toBeLessThan(rounding);
    expect([...model.namedParameters().keys()]).toEqual(["1.convolution.weight", "1.convolution.bias"]);
    expect(model.namedBuffers().size).toBe(0);
  });

  it.each<[string, Named["compute"]]>([
    ["one right after the other", (first, norm, x) => norm.forward(first.forward(x))],
    ["twice", (first, norm, x) => norm.forward(first.forward(norm.forward(first.forward(x))))],
    [
      "of two inputs in turns",
      (first, norm, x) => {
        const [one, other] = [first.forward(x), first.forward(x.neg())];
        return norm.forward(other).sub(norm.forward(one));
      },
    ],
    [
      "in scopes of their own",
      (first, norm, x) => {
        const found = torch.scope(() => first.forward(x.mul(2)));
        return torch.scope(() => norm.forward(found));
      },
    ],
    [
      "the result freed",
      (first, norm, x) => {
        const found = first.forward(x);
        const y = norm.forward(found);
        found.dispose();
        return y;
      },
    ],
    [
      "the input used elsewhere too",
      (first, norm, x, other) => norm.forward(first.forward(x)).add(other.forward(x)),
    ],
    ["by applyInOrder", (first, norm, x) => applyInOrder([first, norm], x)],
    ["by applyInOrder of each", (first, norm, x) => applyInOrder([norm], applyInOrder([first], x))],
    ["the parts of applyInOrder nested", (first, norm, x) => applyInOrder([new Sequential(first), norm], x)],
  ])("folds a named pair that is applied %s", (_, compute) => {
    const model = new Sequential(new Named(compute), new ReLU());
    expect(change(model)).toBeLessThan(rounding);
    expect(foldedIn(model)).toEqual(["0.norm"]);
  });

  describe("refuses a named pair that is not so, and leaves the network as it was:", () => {
    const cases: [string, RegExp, Named["compute"]][] = [
      [
        "ReLU between",
        /something else than norm uses the result/,
        (first, norm, x) => norm.forward(first.forward(x).relu()),
      ],
      ["the norm first", /norm is given something else/, (first, norm, x) => first.forward(norm.forward(x))],
      [
        "a module between",
        /something else than norm uses the result/,
        (first, norm, x) => norm.forward(new ReLU().forward(first.forward(x))),
      ],
      [
        "a module between, by applyInOrder",
        /something else than norm uses/,
        (first, norm, x) => applyInOrder([first, new ReLU(), norm], x),
      ],
      [
        "a convolution between",
        /something else than norm uses the result/,
        (first, norm, x, other) => norm.forward(other.forward(first.forward(x))),
      ],
      [
        "the result used twice",
        /something else than norm uses the result/,
        (first, norm, x) => {
          const found = first.forward(x);
          return norm.forward(found).add(found);
        },
      ],
      [
        "the norm used alone too",
        /norm is given something else/,
        (first, norm, x) => norm.forward(norm.forward(first.forward(x))),
      ],
      [
        "the convolution used alone too",
        /something else than norm uses the result/,
        (first, norm, x) =>
          norm.forward(first.forward(x)).add(torch.op("aten::mul.Scalar", first.forward(x), 2)),
      ],
      [
        "the input written to between",
        /is written to before the batch norm/,
        (first, norm, x) => {
          const y = x.mul(2);
          const found = first.forward(y);
          y.add_(1);
          return norm.forward(found);
        },
      ],
      [
        "the convolution's weights used",
        /uses the weights of first itself/,
        (first, norm, x) => norm.forward(first.forward(x)).mul((first as Conv2d).weight.sum()),
      ],
      [
        "the norm's weights used",
        /uses the weights of norm itself/,
        (first, norm, x) => norm.forward(first.forward(x)).mul((norm as BatchNorm2d).runningMean.sum()),
      ],
    ];

    it.each(cases)("%s", (_, message, compute) => {
      torch.scope(() => {
        for (const given of [undefined, images()]) {
          const model = new Sequential(new Sequential(conv(), worn(3)), new Named(compute));
          model.to({ dtype: "float64" });
          const x = images();
          const before = model.eval().forward(x);
          model.train();
          const [modules, state] = [[...model.namedModules().values()], Object.keys(model.stateDict())];
          const tensors = settled().tensors;
          const fold = () => foldBatchNorm(model, given ? { example: given } : {});
          expect(fold).toThrow(FoldingError);
          expect(fold).toThrow(message);
          expect(fold).toThrow(
            /module 1: batchNormPairs names \["first", "norm"\], but .*take it out of the pairs/,
          );
          // What earlier tests left may be collected meanwhile.
          expect(settled().tensors - tensors).toBeLessThanOrEqual(0);
          expect([...model.namedModules().values()]).toEqual(modules);
          expect(Object.keys(model.stateDict())).toEqual(state);
          expect(modules.map(({ training }) => training)).toEqual(modules.map(() => true));
          expect(model.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
          expect(model.eval().forward(x).equal(before)).toBe(true);
        }
      });
    });
  });

  it.each([true, false])("folds a network whose layers are watched; afterwards: %j", (afterwards) => {
    const model = new Sequential(conv(), worn(3), new ReLU());
    const seen: string[] = [];
    const watch = () => {
      for (const [path, module] of model.namedModules()) {
        const forward = module.forward.bind(module);
        module.forward = (...given: [torch.Tensor]) => {
          seen.push(path);
          return forward(...given);
        };
      }
    };
    const x = images();
    const before = model.to({ dtype: "float64" }).eval().forward(x);
    if (!afterwards) watch();
    foldBatchNorm(model, { example: x });
    // Layers that are watched are not known by class: they are left as they are.
    expect(foldedIn(model)).toEqual(afterwards ? ["1"] : []);
    if (afterwards) watch();
    seen.length = 0;
    expect(largest(model.forward(x).sub(before))).toBeLessThan(rounding * largest(before));
    expect(seen).toEqual(afterwards ? ["", "0", "1", "1.convolution", "2"] : ["", "0", "1", "2"]);
  });

  it("can be checked without folding", () => {
    torch.scope(() => {
      const x = images();
      const good = new Named((first, norm, x) => norm.forward(first.forward(x))).to({ dtype: "float64" });
      const before = good.eval().forward(x);
      good.train();
      const state = Object.keys(good.stateDict());
      checkBatchNormPairs(good, { example: x });
      checkBatchNormPairs(good);
      expect([foldedIn(good), good.training, good.norm.training]).toEqual([[], true, true]);
      expect(Object.keys(good.stateDict())).toEqual(state);
      expect(good.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
      expect(good.eval().forward(x).equal(before)).toBe(true);
      const bad = new Named((first, norm, x) => first.forward(norm.forward(x)));
      expect(() => checkBatchNormPairs(bad)).toThrow(FoldingError);
    });
  });

  it("answers in inference mode too", () => {
    torch.scope(() => {
      const model = new Named((first, norm, x) => norm.forward(first.forward(x))).to({ dtype: "float64" });
      const x = images();
      const before = torch.inferenceMode(() => model.eval().forward(x).tolist());
      foldBatchNorm(model);
      const after = torch.inferenceMode(() => model.forward(x.mul(1)).tolist());
      const flat = (values: unknown) => (values as number[][][][]).flat(3);
      const [one, other] = [flat(before), flat(after)];
      const size = Math.max(...one.map(Math.abs));
      expect(Math.max(...one.map((v, i) => Math.abs(v - other[i]!)))).toBeLessThan(rounding * size);
    });
  });

  it("finds a pair that goes wrong only with other images than were tried", () => {
    const model = new Named((first, norm, x) => {
      const found = first.forward(x);
      return norm.forward(x.shape[2] === 32 ? found : found.relu());
    });
    foldBatchNorm(model);
    expect(model.forward(torch.ones([1, 3, 32, 32])).shape).toEqual([1, 3, 32, 32]);
    expect(() => model.forward(torch.ones([1, 3, 8, 8]))).toThrow(FoldingError);
  });

  it("folds a network that cannot take the images it tries, and passes on what the given example meets", () => {
    const compute: Named["compute"] = (first, norm, x) => {
      if (x.shape[2] !== 8) throw new RangeError("8 pixels or nothing");
      return norm.forward(first.forward(x));
    };
    expect(change(new Named(compute))).toBeLessThan(rounding);
    const model = foldBatchNorm(new Named(compute));
    expect(foldedIn(model)).toEqual(["norm"]);
    const other = new Named(compute);
    expect(() => foldBatchNorm(other, { example: torch.ones([1, 3, 9, 9]) })).toThrow("8 pixels or nothing");
    expect(foldedIn(other)).toEqual([]);
  });

  it("says when a convolution is used that a field unseen holds", () => {
    class Hidden extends Named {
      readonly #same = this.first;
      constructor() {
        super((first, norm, x) => norm.forward(first.forward(x)));
      }
      override forward(x: torch.Tensor): torch.Tensor {
        return super.forward(x).add(this.#same.forward(x));
      }
    }
    const model = foldBatchNorm(new Hidden());
    expect(() => model.forward(torch.ones([1, 3, 8, 8]))).toThrow(/disposed/);
  });

  it("leaves batch norm alone that follows no convolution", () => {
    const model = new Sequential(worn(3), new Conv2d(3, 4, 3, { generator }), new ReLU(), worn(4));
    expect(change(model)).toBe(0);
    expect(model.namedBuffers().size).toBe(6);
  });

  it("leaves alone what serves in two places, or in two pairs", () => {
    const convolution = conv();
    const norm = worn(3);
    const pairs = [convolution, worn(3), convolution, worn(3), conv(), norm];
    const model = new Sequential(...pairs, conv(), norm);
    expect(change(model)).toBe(0);

    class Twice extends Named {
      readonly second = worn(3);
      override batchNormPairs() {
        return [
          ["first", "norm"],
          ["first", "second"],
        ] as never;
      }
    }
    const twice: Twice = new Twice((first, norm, x) =>
      norm.forward(first.forward(x)).add(twice.second.forward(x)),
    );
    expect(change(twice)).toBe(0);
  });

  it("folds a convolution whose weights another one shares, and leaves the other as it was", () => {
    const [one, other] = [conv(), conv()];
    Object.assign(other, { weight: one.weight });
    const model = new Sequential(one, worn(3), new ReLU(), other);
    expect(change(model)).toBeLessThan(rounding);
    expect(foldedIn(model)).toEqual(["1"]);
  });

  it("folds once what stands in a module that serves in two places", () => {
    const shared = new Sequential(conv(), worn(3));
    const model = new Sequential(shared, conv(), shared);
    expect(change(model)).toBeLessThan(rounding);
    expect(foldedIn(model)).toEqual(["0.1", "2.1"]);
  });

  it("leaves alone subclasses, whose forward it does not know", () => {
    class Doubling extends Conv2d {
      override forward(x: torch.Tensor): torch.Tensor {
        return super.forward(x).mul(2);
      }
    }
    class Absolute extends BatchNorm2d {
      override forward(x: torch.Tensor): torch.Tensor {
        return super.forward(x).abs();
      }
    }
    const chain = new Sequential(new Doubling(3, 3, 1, { generator }), worn(3), conv(), new Absolute(3));
    expect([change(chain), foldedIn(chain)]).toEqual([0, []]);

    class Reversed extends Sequential {
      override forward(x: torch.Tensor): torch.Tensor {
        return this.parts().reduceRight((y, part) => part.forward(y), x);
      }
    }
    const reversed = new Reversed(conv(), worn(3), conv());
    expect([change(reversed), foldedIn(reversed)]).toEqual([0, []]);

    class PreActivation extends BasicBlock {
      override forward(x: torch.Tensor): torch.Tensor {
        return x.add(this.conv2.forward(this.bn2.forward(this.conv1.forward(this.bn1.forward(x)))));
      }
    }
    const block = new PreActivation({ conv1: conv(), bn1: worn(3), conv2: conv(), bn2: worn(3) });
    const stage = new ResidualStage(block);
    expect([change(stage), foldedIn(stage)]).toEqual([0, []]);
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
    const old = [...model.namedParameters().values(), ...model.namedBuffers().values()];
    expect(old).toHaveLength(bias ? 7 : 6);
    foldBatchNorm(model);
    expect(old.every(({ disposed }) => disposed)).toBe(true);
    const [weight, shift, ...more] = Object.values(model.stateDict());
    expect(weight!.isContiguous("channelsLast")).toBe(true);
    expect([shift!.shape, more]).toEqual([[4], []]);
  });
});

it.each(["weight", "runningVar"] as const)(
  "leaves a network whose %s is not finite as it is, so that NaN reaches its answers",
  (name) => {
    const generator = new torch.Generator(1);
    const norm = new BatchNorm2d(16);
    const model = new Sequential(new Conv2d(3, 16, 3, { padding: 1, generator }), norm, new ReLU()).to({
      memoryFormat: "channelsLast",
    });
    torch.noGrad(() => norm[name].fill_(Number.NaN));
    const x = torch.randn([2, 3, 8, 8], { generator }).contiguous("channelsLast");
    const y = torch.noGrad(() => foldBatchNorm(model).forward(x));
    expect(y.isnan().all().item()).toBe(1);
  },
);
