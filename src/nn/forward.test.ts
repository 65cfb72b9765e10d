/** A network computes what its `forward`s say, and writes over nothing that others need. */
import { describe, expect, it, vi } from "vitest";
import * as torch from "../torch/index.js";
import {
  applyInOrder,
  BasicBlock,
  BatchNorm2d,
  Conv2d,
  foldBatchNorm,
  GlobalAvgPool,
  Linear,
  Module,
  ReLU,
  ResidualStage,
  Sequential,
  setKernels,
} from "./index.js";
import { randomNorm } from "./testing/random-norm.js";
import { expectAsExact, largest } from "./testing/rounding.js";

const generator = new torch.Generator(1);
const conv = (from: number, to = from, stride = 1) =>
  new Conv2d(from, to, 3, { stride, padding: 1, bias: false, generator });

const norm = (channels: number) => randomNorm(channels, generator);

const layers = () => ({ conv1: conv(16), bn1: norm(16), conv2: conv(16), bn2: norm(16) });

/** The fields of a basic block, in another order of things: norm and ReLU come before the convolutions (He et al. 2016b). */
class PreActivation extends Module {
  readonly conv1 = conv(16);
  readonly bn1 = norm(16);
  readonly conv2 = conv(16);
  readonly bn2 = norm(16);
  calls = 0;
  shortcut(x: torch.Tensor): torch.Tensor {
    return x;
  }
  override forward(x: torch.Tensor): torch.Tensor {
    this.calls++;
    const inner = this.conv1.forward(this.bn1.forward(x, { relu: true }));
    return this.conv2.forward(this.bn2.forward(inner, { relu: true })).add(this.shortcut(x));
  }
}

/** A basic block that halves what its convolutions make. */
class Scaled extends BasicBlock {
  calls = 0;
  constructor() {
    super(layers());
  }
  override forward(x: torch.Tensor): torch.Tensor {
    this.calls++;
    const inner = this.bn1.forward(this.conv1.forward(x), { relu: true });
    return this.bn2.forward(this.conv2.forward(inner)).mul(0.5).add(x).relu();
  }
}

/** A basic block whose second batch norm is its own kind of layer. */
class Shifted extends BatchNorm2d {
  override forward(x: torch.Tensor, epilogue = {}): torch.Tensor {
    return super.forward(x.add(1), epilogue);
  }
}

const images = () => torch.randn([8, 16, 16, 16], { generator }).contiguous("channelsLast");
const apart = (one: torch.Tensor, other: torch.Tensor) => largest(one.sub(other));

/** What a network answers by its parts' `forward`s one after another, in float32 by libtorch's operators and in float64. */
function oneByOne(parts: readonly Module[], x: torch.Tensor) {
  const run = (dtype: "float32" | "float64") => {
    for (const part of parts) part.to({ dtype });
    return parts.reduce((y, part) => part.forward(y), x.detach().to({ dtype }));
  };
  setKernels("libtorch");
  try {
    return { exact: run("float64"), libtorch: run("float32") };
  } finally {
    setKernels("fast");
  }
}

describe.each(["training", "evaluation"] as const)("a stage in %s", (mode) => {
  it.each([
    ["pre-activation blocks", () => [new PreActivation(), new PreActivation()]],
    ["blocks that scale what they add", () => [new Scaled(), new Scaled()]],
  ])("of %s computes what their forward says", (_, make) => {
    torch.scope(() => {
      const blocks = make();
      const stage = new ResidualStage(...blocks).train(mode === "training");
      const x = images();
      const found = stage.forward(x);
      expect(blocks.map(({ calls }) => calls)).toEqual([1, 1]);
      expectAsExact(found, oneByOne(blocks, x));
    });
  });

  it("of basic blocks with a layer of another class computes what that says", () => {
    torch.scope(() => {
      const blocks = [new BasicBlock(layers()), new BasicBlock({ ...layers(), bn2: new Shifted(16) })];
      const stage = new ResidualStage(...blocks).train(mode === "training");
      const x = images();
      expectAsExact(stage.forward(x), oneByOne(blocks, x));
    });
  });

  it("calls a forward that was replaced on an instance, at any depth, or on the class", () => {
    torch.scope(() => {
      const blocks = [0, 1, 2].map(() => new BasicBlock(layers()));
      const stage = new ResidualStage(...blocks).train(mode === "training");
      const x = images();
      const calls: string[] = [];
      const watch = (name: string, module: Module) => {
        const forward = module.forward.bind(module);
        module.forward = (...given: [torch.Tensor]) => {
          calls.push(name);
          return forward(...given);
        };
      };
      watch("block 1", blocks[1]!);
      watch("norm of block 2", blocks[2]!.bn1);
      const found = stage.forward(x);
      expect(calls).toEqual(["block 1", "norm of block 2"]);
      expectAsExact(found, oneByOne(blocks, x));
      const spy = vi.spyOn(BasicBlock.prototype, "forward");
      try {
        new ResidualStage(new BasicBlock(layers())).forward(x);
        expect(spy).toHaveBeenCalledTimes(1);
      } finally {
        spy.mockRestore();
      }
    });
  });

  it("gives modules of unknown class [N, C, H, W] between blocks", () => {
    torch.scope(() => {
      const shapes: (readonly number[])[] = [];
      class Watch extends Module {
        override forward(x: torch.Tensor): torch.Tensor {
          shapes.push(x.shape);
          return x;
        }
      }
      const block = () => new BasicBlock(layers());
      const stage = new ResidualStage(block(), new Watch(), block(), new Sequential(new Watch()), block());
      const x = images();
      expect(stage.train(mode === "training").forward(x).shape).toEqual(x.shape);
      expect(shapes).toEqual([x.shape, x.shape]);
    });
  });
});

describe("a frozen network", () => {
  /** The logits go over the stage, and past it. */
  class Skip extends Module {
    readonly stem = new Sequential(
      new Conv2d(3, 16, 3, { padding: 1, bias: false, generator }),
      norm(16),
      new ReLU(),
    );
    readonly pool = new GlobalAvgPool();
    readonly fc = new Linear(16, 10, { generator });
    constructor(readonly stage: Module) {
      super();
    }
    override forward(x: torch.Tensor): torch.Tensor {
      const h = this.stem.forward(x);
      const z = this.stage.forward(h);
      return this.fc.forward(this.pool.forward(z.add(h)));
    }
  }

  it.each([
    ["a ResidualStage", () => new ResidualStage(new BasicBlock(layers()), new BasicBlock(layers()))],
    ["a Sequential", () => new Sequential(new BasicBlock(layers()), new BasicBlock(layers()))],
    ["a block", () => new BasicBlock(layers())],
    ["a block behind an identity", () => new Sequential(new Sequential(), new BasicBlock(layers()))],
  ])("keeps what went into %s", (_, make) => {
    torch.scope(() => {
      const model = new Skip(make()).eval();
      const x = torch.randn([4, 3, 16, 16], { generator }).contiguous("channelsLast");
      const judge = oneByOne([model], x);
      const found = torch.noGrad(() => foldBatchNorm(model).forward(x));
      expectAsExact(found, judge);
    });
  });

  it.each(["contiguous", "channelsLast"] as const)(
    "writes over no %s input, of any number of channels",
    (order) => {
      torch.scope(() => {
        for (const [channels, size] of [
          [16, 8],
          [32, 8],
          [32, 1],
        ] as const) {
          const of = () => {
            const [conv1, conv2] = [conv(channels), conv(channels)];
            return new BasicBlock({ conv1, bn1: norm(channels), conv2, bn2: norm(channels) });
          };
          const stage = foldBatchNorm(new ResidualStage(of(), of()));
          for (const kernels of ["fast", "exact", "libtorch"] as const) {
            setKernels(kernels);
            const x = torch.randn([1, channels, size, size], { generator }).contiguous(order);
            const before = x.clone();
            torch.noGrad(() => applyInOrder([stage], x));
            torch.noGrad(() => stage[0]!.forward(x));
            expect(x.equal(before)).toBe(true);
          }
          setKernels("fast");
        }
      });
    },
  );

  it("keeps what a module of unknown class still holds", () => {
    torch.scope(() => {
      class Holding extends Module {
        held: torch.Tensor[] = [];
        override forward(x: torch.Tensor): torch.Tensor {
          const y = x.mul(2);
          this.held.push(torch.keep(y));
          return y;
        }
      }
      const holding = new Holding();
      const stage = foldBatchNorm(new Sequential(holding, new BasicBlock(layers())));
      const x = images();
      torch.noGrad(() => stage.forward(x));
      expect(apart(holding.held.at(-1)!, x.mul(2))).toBe(0);
    });
  });
});
