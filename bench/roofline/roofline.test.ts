import { models, nn, torch } from "lyceum";
import { describe, expect, it } from "vitest";
import { countLayers, type Layer } from "./layers.js";
import {
  backwardLoad,
  forwardLoad,
  patriarchLoad,
  scaleLoad,
  studentLoad,
  teacherLoad,
  updateLoad,
} from "./load.js";
import { roofline, rooflineLine } from "./roofline.js";

const generator = new torch.Generator(0);

/** Two convolutions, from 3 to 8 and to 8 channels, on 4 images of 6 x 6, which the second halves; then a classifier of 10. */
function smallNetwork() {
  const convolution = (from: number, stride: number) =>
    new nn.Conv2d(from, 8, 3, { stride, padding: 1, bias: false, generator });
  const norms = [new nn.BatchNorm2d(8), new nn.BatchNorm2d(8)] as const;
  const model = new nn.Sequential(
    convolution(3, 1),
    norms[0],
    new nn.ReLU(),
    convolution(8, 2),
    norms[1],
    new nn.GlobalAvgPool(),
    new nn.Linear(8, 10, { generator }),
  );
  const images = torch.randn([4, 3, 6, 6]).contiguous("channelsLast");
  return { model, run: () => torch.noGrad(() => void model.forward(images)) };
}

const [input, near, far] = [4 * 3 * 36, 4 * 8 * 36, 4 * 8 * 9];
const layers: Layer[] = [
  { kind: "product", flops: 2 * near * 27, input, output: near, weights: 216 },
  { kind: "norm", flops: 0, input: near, output: near, weights: 16 },
  { kind: "product", flops: 2 * far * 72, input: near, output: far, weights: 576 },
  { kind: "norm", flops: 0, input: far, output: far, weights: 16 },
  { kind: "product", flops: 2 * 40 * 8, input: 32, output: 40, weights: 90 },
];
const weights = 216 + 16 + 576 + 16 + 90;

describe("countLayers", () => {
  it("counts by the shapes, in order, and leaves the network as it was", () => {
    const { model, run } = smallNetwork();
    expect(countLayers(model, run)).toEqual(layers);
    const forwards = [...model.namedModules().values()].filter((module) => Object.hasOwn(module, "forward"));
    expect(forwards).toEqual([]);
  });

  it("counts no batch norm where it is folded", () => {
    const { model, run } = smallNetwork();
    nn.foldBatchNorm(model);
    const counted = countLayers(model, run);
    expect(counted.map(({ kind }) => kind)).toEqual(["product", "product", "product"]);
    // Folding turns the norm's shift into the convolution's bias: 8 more weights.
    expect(counted.map((layer) => layer.weights)).toEqual([216 + 8, 576 + 8, 90]);
    expect(forwardLoad(counted, 4).flops).toBe(forwardLoad(layers, 4).flops);
  });

  /** The number of multiplications, each with its addition, for one image. */
  const products = (name: string, size: number) => {
    const model = models.createModel(name, { classes: 10, channels: 3, generator }).train();
    const images = torch.zeros([1, 3, size, size]).contiguous("channelsLast");
    const counted = countLayers(model, () => torch.noGrad(() => void model.forward(images)));
    return forwardLoad(counted, 4).flops / 2;
  };

  it.each([
    ["resnet20", 3],
    ["resnet110", 18],
  ])("finds what the definition says of %s", (name, blocks) => {
    const even = 16 * 16 * 9 * 1024;
    const stages = 2 * blocks * even + 2 * (even / 2 + (2 * blocks - 1) * even);
    expect(products(name, 32)).toBe(3 * 16 * 9 * 1024 + stages + 640);
  });

  it("finds the 1.8 thousand million of ResNet-18 that He et al. (2016) give in table 1", () => {
    expect((products("resnet18", 224) / 1e9).toFixed(1)).toBe("1.8");
  });
});

describe("the least that must be done", () => {
  const flops = layers.reduce((sum, layer) => sum + layer.flops, 0);

  it("forward: every input and weight read, every output written", () => {
    const activations = input + near + near + near + near + far + far + far + 32 + 40;
    expect(forwardLoad(layers, 4)).toEqual({ flops, bytes: 4 * (activations + weights) });
    expect(forwardLoad(layers, 2)).toEqual({ flops, bytes: 2 * activations + 4 * weights });
  });

  it("backward: two products a layer, but no gradient of the images", () => {
    const read = input + near + near + far + 32 + (near + near + far + far + 40);
    const written = near + near + far + 32;
    expect(backwardLoad(layers, 4)).toEqual({
      flops: 2 * flops - layers[0]!.flops,
      bytes: 4 * (read + written + 2 * weights),
    });
  });

  it("a patriarch's step is forward, backward and update; a student's has its teacher's forward too", () => {
    const passes = { trained: layers, frozen: layers.slice(0, 1), activationBytes: 4 };
    const parts = [forwardLoad(layers, 4), backwardLoad(layers, 4), updateLoad(layers)];
    const sum = (of: "flops" | "bytes") => parts.reduce((total, part) => total + part[of], 0);
    expect(updateLoad(layers)).toEqual({ flops: 0, bytes: 20 * weights });
    expect(patriarchLoad(passes)).toEqual({ flops: sum("flops"), bytes: sum("bytes") });
    expect(studentLoad(passes)).toEqual({
      flops: sum("flops") + layers[0]!.flops,
      bytes: sum("bytes") + teacherLoad(passes).bytes,
    });
    expect(scaleLoad({ flops: 2, bytes: 3 }, 4)).toEqual({ flops: 8, bytes: 12 });
  });
});

describe("roofline", () => {
  const which = { work: "evaluation", model: "resnet20" };
  const peak = { flopsPerSecond: 200e9, bytesPerSecond: 10e9 };

  it("is bound by whichever takes longer", () => {
    const arithmetic = roofline(which, { flops: 40e9, bytes: 1e9 }, peak, 0.4);
    expect(arithmetic).toMatchObject({ bound: "arithmetic", allowedSeconds: 0.2, share: 0.5 });
    const memory = roofline(which, { flops: 40e9, bytes: 3e9 }, peak, 0.4);
    expect(memory).toMatchObject({ bound: "memory", allowedSeconds: 0.3 });
    expect(memory.share).toBeCloseTo(0.75);
  });

  it("is a line that says so", () => {
    expect(rooflineLine(roofline(which, { flops: 40e9, bytes: 1.234e9 }, peak, 0.4))).toBe(
      "evaluation resnet20: 40.0 GFLOP, 1.23 GB at least; arithmetic allows 200.0 ms, taken 400.0 ms: 50 % reached",
    );
  });
});
