/** Random small networks of users' own blocks and of Lyceum's: fused, they compute what they say. */
import fc from "fast-check";
import { expect, it } from "vitest";
import * as torch from "../torch/index.js";
import {
  AvgPool2d,
  applyInOrder,
  BasicBlock,
  type BatchNorm2d,
  Bottleneck,
  Conv2d,
  DenseBlock,
  DenseLayer,
  DenseTransition,
  foldBatchNorm,
  GlobalAvgPool,
  Identity,
  Linear,
  Module,
  OptionAShortcut,
  ReLU,
  ReLU6,
  ResidualStage,
  Sequential,
} from "./index.js";
import { nearestToZero } from "./testing/near-zero.js";
import { answerOf, expectTrainedAsExact, outcome } from "./testing/outcome.js";
import { randomNorm } from "./testing/random-norm.js";
import { expectAsExact } from "./testing/rounding.js";

/** What a part of a network is, for a given number of channels; parts nest. */
type Plan =
  | "basic"
  | "bottleneck"
  | "halving bottleneck"
  | "grouped bottleneck"
  | "pre-activation"
  | "scaled"
  | "concatenation"
  | "subclass"
  | "widening"
  | "halving"
  | "fitted"
  | "conv-norm-relu"
  | "conv-norm"
  | "norm-relu"
  | "depthwise"
  | "dense"
  | "identity"
  | { shared: Plan }
  | { skip: Plan[] }
  | { sequential: Plan[] }
  | { stage: Plan[] }
  | { inOrder: Plan[] };

class Maker {
  channels = 16;
  readonly #generator: torch.Generator;

  constructor(seed: number) {
    this.#generator = new torch.Generator(seed);
  }

  conv(from: number, to: number, window: 1 | 3 = 3, stride = 1): Conv2d {
    const padding = (window - 1) / 2;
    const bias = false;
    return new Conv2d(from, to, window, { stride, padding, bias, generator: this.#generator });
  }

  norm(channels: number) {
    return randomNorm(channels, this.#generator);
  }

  layers(to = this.channels, stride = 1) {
    const from = this.channels;
    return {
      conv1: this.conv(from, to, 3, stride),
      bn1: this.norm(to),
      conv2: this.conv(to, to),
      bn2: this.norm(to),
    };
  }

  bottleneck({ stride = 1, groups = 1 }): Bottleneck {
    const { channels } = this;
    const options = { stride, groups, padding: 1, bias: false, generator: this.#generator };
    const layers = {
      conv1: this.conv(channels, 16, 1),
      bn1: this.norm(16),
      conv2: new Conv2d(16, 16, 3, options),
      bn2: this.norm(16),
      conv3: this.conv(16, channels, 1),
      bn3: this.norm(channels),
    };
    if (stride === 1) return new Bottleneck(layers);
    const downsample = new Sequential(this.conv(channels, channels, 1, stride), this.norm(channels));
    return new Bottleneck({ ...layers, downsample });
  }

  linear(classes: number): Linear {
    return new Linear(this.channels, classes, { generator: this.#generator });
  }

  make(plan: Plan): Module {
    const { channels } = this;
    if (typeof plan === "object") return this.#compound(plan);
    switch (plan) {
      case "basic":
        return new BasicBlock(this.layers());
      case "bottleneck":
        return this.bottleneck({});
      case "halving bottleneck":
        return this.bottleneck({ stride: 2 });
      case "grouped bottleneck":
        return this.bottleneck({ groups: 4 });
      case "pre-activation":
        return new PreActivation(this.layers());
      case "scaled":
        return new Scaled(this.layers());
      case "subclass":
        return new Negated(this.layers());
      case "concatenation": {
        const made = new Concatenation(this.conv(channels, 16), this.norm(16));
        this.channels += 16;
        return made;
      }
      case "widening": {
        const block = new BasicBlock({
          ...this.layers(channels + 16),
          downsample: new OptionAShortcut(channels + 16),
        });
        this.channels += 16;
        return block;
      }
      case "halving": {
        const layers = this.layers(channels, 2);
        const downsample = new Sequential(this.conv(channels, channels, 1, 2), this.norm(channels));
        return new BasicBlock({ ...layers, downsample });
      }
      case "fitted": {
        const downsample = new Sequential(this.conv(channels, channels, 1), this.norm(channels));
        return new BasicBlock({ ...this.layers(), downsample });
      }
      case "conv-norm-relu":
        return new Sequential(this.conv(channels, channels), this.norm(channels), new ReLU());
      case "conv-norm":
        return new ConvNorm(this.conv(channels, channels), this.norm(channels));
      case "norm-relu":
        return new Sequential(this.norm(channels), new ReLU());
      case "depthwise": {
        const [padding, groups] = [1, channels];
        const conv = new Conv2d(channels, channels, 3, { padding, groups, generator: this.#generator });
        return new Sequential(conv, this.norm(channels), new ReLU6(), this.conv(channels, channels, 1));
      }
      case "identity":
        return new Identity();
      case "dense": {
        const layer = (from: number) =>
          new DenseLayer({
            norm1: this.norm(from),
            conv1: this.conv(from, 16, 1),
            norm2: this.norm(16),
            conv2: this.conv(16, 8),
          });
        const block = new DenseBlock([layer(channels), layer(channels + 8)]);
        const transition = { norm: this.norm(channels + 16), conv: this.conv(channels + 16, channels, 1) };
        return new Sequential(block, new DenseTransition(transition));
      }
    }
  }

  #compound(plan: Exclude<Plan, string>): Module {
    const all = (plans: Plan[]) => plans.map((one) => this.make(one));
    if ("sequential" in plan) return new Sequential(...all(plan.sequential));
    if ("stage" in plan) return new ResidualStage(...all(plan.stage));
    if ("inOrder" in plan) return new InOrder(all(plan.inOrder));
    if ("skip" in plan) {
      const { channels } = this;
      const parts = new Sequential(...all(plan.skip));
      // Back to the shape that came in, whatever came of it.
      const back = this.conv(this.channels, channels, 1);
      this.channels = channels;
      return new Skip(parts, back);
    }
    const { channels } = this;
    const part = this.make(plan.shared);
    // What changes its number of channels cannot follow itself.
    return this.channels === channels ? new Sequential(part, new ReLU(), part) : part;
  }
}

/** Norm and ReLU before each convolution, by the fields of a basic block (He et al. 2016b). */
class PreActivation extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  constructor({ conv1, bn1, conv2, bn2 }: ReturnType<Maker["layers"]>) {
    super();
    [this.conv1, this.bn1, this.conv2, this.bn2] = [conv1, bn1, conv2, bn2];
  }
  shortcut(x: torch.Tensor): torch.Tensor {
    return x;
  }
  override forward(x: torch.Tensor): torch.Tensor {
    const inner = this.conv1.forward(this.bn1.forward(x).relu());
    return this.conv2.forward(this.bn2.forward(inner).relu()).add(this.shortcut(x));
  }
}

/** A basic block's layers, pairs named, with what they make halved before the sum. */
class Scaled extends PreActivation {
  override batchNormPairs() {
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
    ] as const;
  }
  override forward(x: torch.Tensor): torch.Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x), { relu: true });
    return this.bn2.forward(this.conv2.forward(inner)).mul(0.5).add(x).relu();
  }
}

/** Inherits all of a basic block but its sum. */
class Negated extends BasicBlock {
  override forward(x: torch.Tensor): torch.Tensor {
    return super.forward(x).sub(x);
  }
}

class Concatenation extends Module {
  constructor(
    readonly conv: Conv2d,
    readonly bn: BatchNorm2d,
  ) {
    super();
  }
  override batchNormPairs() {
    return [["conv", "bn"]] as const;
  }
  override forward(x: torch.Tensor): torch.Tensor {
    return torch.cat([x, this.bn.forward(this.conv.forward(x))], 1);
  }
}

/** A pair that is named in a class of the user's own, and returns a view of what it made. */
class ConvNorm extends Concatenation {
  override forward(x: torch.Tensor): torch.Tensor {
    return torch.op("aten::alias", this.bn.forward(this.conv.forward(x)));
  }
}

class InOrder extends Module {
  constructor(readonly parts: Module[]) {
    super();
  }
  override forward(x: torch.Tensor): torch.Tensor {
    return applyInOrder(this.parts, x);
  }
}

/** What went in is of use once more afterwards. */
class Skip extends Module {
  constructor(
    readonly parts: Sequential,
    readonly back: Conv2d,
  ) {
    super();
  }
  override forward(x: torch.Tensor): torch.Tensor {
    const y = this.back.forward(this.parts.forward(x));
    // Where the parts have halved the image, its means over as many pixels are added.
    const by = x.shape[2]! / y.shape[2]!;
    return y.add(by === 1 ? x : new AvgPool2d(by).forward(x));
  }
}

class Network extends Module {
  readonly stem: Sequential;
  readonly body: Module[];
  readonly pool = new GlobalAvgPool();
  readonly fc: Linear;

  constructor(plans: readonly Plan[], seed: number) {
    super();
    const maker = new Maker(seed);
    this.stem = new Sequential(maker.conv(3, 16), maker.norm(16), new ReLU());
    this.body = plans.map((plan) => maker.make(plan));
    this.fc = maker.linear(5);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return applyInOrder([this.stem, ...this.body, this.pool, this.fc], x);
  }
}

const { plan } = fc.letrec<{ plan: Plan; plans: Plan[] }>((tie) => ({
  plan: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Plan>(
        "basic",
        "basic",
        "bottleneck",
        "bottleneck",
        "halving bottleneck",
        "grouped bottleneck",
        "pre-activation",
        "scaled",
        "concatenation",
        "subclass",
        "widening",
        "halving",
        "fitted",
        "conv-norm-relu",
        "conv-norm",
        "norm-relu",
        "dense",
        "depthwise",
        "identity",
      ),
    },
    fc.record({ shared: tie("plan") }),
    fc.record({ skip: tie("plans") }),
    fc.record({ sequential: tie("plans") }),
    fc.record({ stage: tie("plans") }),
    fc.record({ inOrder: tie("plans") }),
  ),
  plans: fc.array(tie("plan"), { minLength: 1, maxLength: 3 }),
}));

const cases = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 3 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  batch: fc.integer({ min: 2, max: 3 }),
});

const imagesOf = ({ batch, seed }: { batch: number; seed: number }, size: number) =>
  torch.randn([batch, 3, size, size], { generator: new torch.Generator(seed) }).contiguous("channelsLast");

/** How often the plans halve the image, at most. */
function halvings(plans: readonly Plan[]): number {
  const of = (plan: Plan): number => {
    if (typeof plan === "string") return plan.startsWith("halving") || plan === "dense" ? 1 : 0;
    if ("shared" in plan) return 2 * of(plan.shared);
    return halvings(Object.values(plan)[0] as Plan[]);
  };
  return plans.reduce((sum, plan) => sum + of(plan), 0);
}

it("answer in evaluation, and frozen, as their layers do one by one", () => {
  fc.assert(
    fc.property(cases, ({ plans, ...given }) => {
      fc.pre(halvings(plans) <= 3);
      torch.scope(() => {
        const make = () => new Network(plans, given.seed).eval();
        const x = imagesOf(given, 16);
        const exact = answerOf(make(), x, { dtype: "float64", kernels: "libtorch" });
        const libtorch = answerOf(make(), x, { dtype: "float32", kernels: "libtorch" });
        const found = answerOf(make(), x, { dtype: "float32", kernels: "fast" });
        const layers = make().namedModules().size;
        expectAsExact(found, { libtorch, exact, layers, what: "evaluation" });
        const before = x.clone();
        const frozen = foldBatchNorm(make(), { example: x });
        const folded = answerOf(frozen, x, { dtype: "float32", kernels: "fast" });
        expectAsExact(folded, { libtorch, exact, layers, what: "frozen" });
        expect(x.equal(before)).toBe(true);
      });
    }),
    { numRuns: 40 },
  );
});

it("train as their layers do one by one: loss, gradients, running statistics", () => {
  fc.assert(
    fc.property(cases, ({ plans, ...given }) => {
      fc.pre(halvings(plans) <= 1);
      torch.scope(() => {
        const x = imagesOf(given, 6);
        const make = () => new Network(plans, given.seed);
        const options = { dtype: "float64", kernels: "libtorch", gradients: false } as const;
        // Where rounding decides what passes a ReLU, either gradient is right.
        fc.pre(nearestToZero(() => void outcome(make(), x, options)) > 3e-5);
        expectTrainedAsExact(make, x);
      });
    }),
    { numRuns: 25, maxSkipsPerRun: 400 },
  );
});
