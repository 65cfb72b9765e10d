/** Tests in which dtype each layer computes, beside what torch.autocast does. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { distillation, strict } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { BatchNorm2d, Conv2d, foldBatchNorm, Linear, type Module, setKernels } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { Meter } from "./meter.js";
import { objectiveOf } from "./objective.js";
import { trainStep } from "./step.js";

// All operators are libtorch's, as they are on a graphics card.
beforeEach(() => setKernels("libtorch"));
afterEach(() => setKernels("fast"));

const fresh = (seed: number) =>
  resnet8.create({ classes: 10, channels: 3, generator: new torch.Generator(seed) }).to({
    memoryFormat: "channelsLast",
  });

const generator = new torch.Generator(3);
const batch = {
  images: torch.randn([8, 3, 12, 12], { generator }).contiguous("channelsLast"),
  labels: torch.randint(0, 10, [8], { generator, dtype: "int64" }),
};

/** Records the dtypes of what goes into each kind of layer and of what comes out of it. */
function watch(model: Module): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>();
  for (const layer of model.namedModules().values()) {
    if (!(layer instanceof Conv2d || layer instanceof BatchNorm2d || layer instanceof Linear)) continue;
    const kind = layer.constructor.name;
    const forward = layer.forward.bind(layer) as (x: torch.Tensor, ...more: unknown[]) => torch.Tensor;
    layer.forward = (x: torch.Tensor, ...more: unknown[]) => {
      const y = forward(x, ...more);
      const path = `${x.dtype} to ${y.dtype}`;
      seen.set(kind, (seen.get(kind) ?? new Set()).add(path));
      return y;
    };
  }
  return seen;
}

describe("a step in bfloat16, by libtorch's operators", () => {
  it("convolves and normalises in it; classifier, statistics, gradients and updates are float32", () => {
    const model = fresh(1).train();
    const seen = watch(model);
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
    const objective = objectiveOf(
      distillation,
      { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
      { teachers: [foldBatchNorm(fresh(2))] },
    );
    trainStep({ model, optimizer, objective, precision: "bfloat16" }, batch);
    // Batch norm computes in the dtype that it is given, as under autocast. The classifier stays in float32,
    // unlike there.
    const path = "bfloat16 to bfloat16";
    expect(Object.fromEntries([...seen].map(([kind, paths]) => [kind, [...paths]]))).toEqual({
      Conv2d: [path],
      BatchNorm2d: [path],
      Linear: ["float32 to float32"],
    });
    for (const parameter of model.parameters()) {
      expect([parameter.dtype, parameter.grad?.dtype]).toEqual(["float32", "float32"]);
    }
    for (const buffer of model.namedBuffers().values()) expect(buffer.dtype).not.toBe("bfloat16");
  });

  it("casts a convolution's input and weights, and nothing else, as autocast does", () => {
    const layer = new Conv2d(3, 4, 3, { padding: 1, generator });
    const [x, weight, bias] = [batch.images, layer.weight, layer.bias!].map((t) =>
      t.to({ dtype: "bfloat16" }),
    );
    const expected = torch.conv2d(x!, weight!, bias!, [1, 1], [1, 1], [1, 1], 1);
    expect(layer.forward(x!).equal(expected)).toBe(true);
  });

  it("loses what float32 loses, to its 8 bits", () => {
    const losses = (["float32", "bfloat16"] as const).map((precision) => {
      const model = fresh(1).train();
      const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9 });
      const meter = new Meter();
      trainStep({ model, optimizer, objective: objectiveOf(strict, {}), precision }, batch, meter);
      return meter.read().loss;
    });
    // Each layer rounds to 8 bits.
    const layers = fresh(1).namedModules().size;
    expect(Math.abs(losses[1]! / losses[0]! - 1)).toBeLessThan(layers * 2 ** -8);
    expect(losses[1]).not.toBe(losses[0]);
  });
});
