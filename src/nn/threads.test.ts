/** What docs/determinism.md says of the number of threads: with `kernels: exact`, only convolutions' weight gradients depend on it. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { BatchNorm2d, Conv2d, kernels, Linear, type Module, setKernels } from "./index.js";

const threads = torch.getNumThreads();
const used = kernels();
beforeAll(() => setKernels("exact"));
afterAll(() => {
  torch.setNumThreads(threads);
  setKernels(used);
});

const generator = () => new torch.Generator(3);
const draw = (shape: number[], seed: number) => {
  const drawn = torch.empty(shape).normal_(0, 1, { generator: new torch.Generator(seed) });
  return shape.length === 4 ? drawn.contiguous("channelsLast") : drawn;
};
const hash = (tensor: torch.Tensor) => {
  const { buffer, byteOffset, byteLength } = tensor.contiguous().toTypedArray();
  return createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
};

/** The bits of what a layer computes forward and backward, by name. */
function bitsOf(make: () => Module, shape: number[]): Record<string, string> {
  return torch.scope(() => {
    const layer = make().to({ memoryFormat: "channelsLast" }).train();
    const x = draw(shape, 1).requiresGrad_();
    const y = layer.forward(x);
    y.mul(draw([...y.shape], 2))
      .sum()
      .backward();
    const gradients = [...layer.namedParameters()].map(([name, { grad }]) => [`d ${name}`, hash(grad!)]);
    return { forward: hash(y.detach()), "d input": hash(x.grad!), ...Object.fromEntries(gradients) };
  });
}

it.each<[string, () => Module, number[], string[]]>([
  [
    "3x3 convolutions of 16 channels",
    () => new Conv2d(16, 16, 3, { padding: 1, bias: false, generator: generator() }),
    [64, 16, 16, 16],
    ["d weight"],
  ],
  [
    "3x3 convolutions of 64 channels",
    () => new Conv2d(64, 64, 3, { padding: 1, bias: false, generator: generator() }),
    [16, 64, 8, 8],
    ["d weight"],
  ],
  ["batch norm", () => new BatchNorm2d(16), [64, 16, 16, 16], []],
  ["linear layers", () => new Linear(64, 10, { generator: generator() }), [64, 64], []],
])("%s have the same bits with any number of threads, but for what the page names", (_, make, shape, but) => {
  const [one, ...others] = [1, 2, 3].map((count) => {
    torch.setNumThreads(count);
    const bits = bitsOf(make, shape);
    for (const name of but) delete bits[name];
    return bits;
  });
  expect(Object.keys(one!).length).toBeGreaterThan(1);
  for (const other of others) expect(other).toEqual(one);
});
