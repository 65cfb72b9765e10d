/** Exported graphs, by onnxruntime-web. */
import { expect, it } from "vitest";
import { ensembleProbabilities } from "../../analysis/index.js";
import { createModel } from "../../models/index.js";
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  foldBatchNorm,
  GlobalAvgPool,
  Linear,
  Module,
  Sequential,
} from "../../nn/index.js";
import * as torch from "../../torch/index.js";
import { exportOnnx } from "./export.js";
import { OnnxError } from "./operator.js";
import { answerOf, differenceOf, largestDifference } from "./testing/run.js";

const size = { channels: 3, height: 8, width: 8 };
const options = { size, classes: 4, version: "1.2.3" };
const network = (seed: number) =>
  createModel("resnet8", { classes: 4, channels: 3, generator: new torch.Generator(seed) });
const images = torch.keep(torch.randn([3, 3, 8, 8], { generator: new torch.Generator(9) }));
const logitsOf = (model: Module, x = images) =>
  torch.scope(() => torch.noGrad(() => model.forward(x).toTypedArray() as Float32Array));

it("a network whose batch norm is not folded answers as it does", async () => {
  expect(await differenceOf(network(0).eval(), images)).toBeLessThan(1e-5);
});

it("neither the network nor its answers change", () => {
  const model = foldBatchNorm(network(0));
  const before = logitsOf(model);
  exportOnnx([model], options);
  expect(logitsOf(model)).toEqual(before);
  expect(Object.hasOwn(model, "forward")).toBe(false);
});

it("the same network gives the same bytes", () => {
  const model = foldBatchNorm(network(0));
  const [one, two] = [exportOnnx([model], options), exportOnnx([model], options)];
  expect(Buffer.from(one).equals(two)).toBe(true);
});

it("frees what it has made", () => {
  const model = foldBatchNorm(network(0));
  exportOnnx([model], options);
  const { tensors } = torch.memoryStats();
  exportOnnx([model], options);
  expect(torch.memoryStats().tensors).toBe(tensors);
});

it("normalises bytes and gives probabilities when asked", async () => {
  const model = foldBatchNorm(network(1));
  const bytes = torch.keep(
    torch.randint(0, 256, [2, 3, 8, 8], { dtype: "uint8", generator: new torch.Generator(4) }),
  );
  const [mean, std] = [
    [0.5, 0.4, 0.3],
    [0.2, 0.3, 0.25],
  ];
  const { name, data } = await answerOf(
    exportOnnx([model], { ...options, normalise: { mean, std }, softmax: true }),
    bytes,
  );
  const expected = torch.scope(() => {
    const column = (values: number[]) => torch.tensor(values, { shape: [3, 1, 1] });
    const normal = bytes.to({ dtype: "float32" }).div(255).sub(column(mean)).div(column(std));
    return torch.noGrad(() => model.forward(normal).softmax(1).toTypedArray());
  });
  expect(name).toBe("probabilities");
  expect(largestDifference(expected, data)).toBeLessThan(1e-5);
});

it.each([{ mean: "softmax" }, { mean: "logits" }, { mean: "softmax", weights: [1, 3] }] as const)(
  "an ensemble, %o",
  async (ensemble) => {
    const models = [foldBatchNorm(network(1)), foldBatchNorm(network(2))];
    const file = exportOnnx(models, { ...options, ...ensemble, names: ["generation-0", "generation-1"] });
    const { name, data } = await answerOf(file, images);
    const expected = ensembleProbabilities(
      models.map((model) => ({ values: logitsOf(model), classes: 4 })),
      ensemble,
    );
    expect(name).toBe("probabilities");
    expect(largestDifference(expected, data)).toBeLessThan(1e-5);
  },
);

it("layers of one's own, put together at will, with a forward that depends on its options", async () => {
  class Gate extends Module {
    readonly inner = new Conv2d(6, 6, 1, { generator: new torch.Generator(5) });
    readonly scale = torch.keep(torch.full([1], 0.7));
    override forward(x: torch.Tensor) {
      let y = x;
      for (let i = 0; i < 2; i++) y = this.inner.forward(y).sigmoid().mul(x).mul(this.scale);
      return torch.cat([x.slice(1, 0, 3), y], 1);
    }
  }
  const generator = new torch.Generator(6);
  const model = new Sequential(
    new Conv2d(3, 6, 3, { padding: 1, generator }),
    new BatchNorm2d(6),
    new Gate(),
    new GlobalAvgPool(),
    new Linear(9, 4, { generator }),
  ).eval();
  expect(await differenceOf(model, images)).toBeLessThan(1e-5);
});

/** A network of one function between two layers with names. */
class Odd extends Module {
  readonly odd: Module;
  readonly end = new Flatten();

  constructor(body: (x: torch.Tensor) => torch.Tensor) {
    super();
    this.odd = new (class extends Module {
      override forward = body;
    })();
    this.eval();
  }

  override forward(x: torch.Tensor) {
    return this.end.forward(this.odd.forward(x));
  }
}

const weights = torch.keep(torch.ones([3, 8, 8]));

it.each<[string, (x: torch.Tensor) => torch.Tensor, RegExp]>([
  [
    "an operator without counterpart",
    (x) => x.cumsum(1),
    /the layer odd computes cumsum, which has no counterpart/,
  ],
  [
    "a branch on values",
    (x) => (x.sum().item() > 0 ? x : x.neg()),
    /the layer odd aten::item reads the values/,
  ],
  [
    "values read into JavaScript",
    (x) => x.mul((x.toTypedArray() as Float32Array)[0]!),
    /the layer odd .*reads the values/,
  ],
  [
    "a branch on the number of images",
    (x) => (x.shape[0] === 2 ? x : x.neg()),
    /does something else for another number/,
  ],
  [
    "a number made of that of the images",
    (x) => x.mul(torch.tensor([1 / x.shape[0]!], { shape: [1] })),
    /odd makes a tensor that is not the same/,
  ],
  ["chance", (x) => x.add(torch.rand([1])), /the layer odd makes a tensor that is not the same each time/],
  [
    "a size made of the number of images",
    (x) => x.reshape([1, -1]),
    /gives a tensor whose size depends on the number/,
  ],
  [
    "a mean over the images",
    (x) => x.mean([0], true).add(x),
    /the layer odd reduces over the images of a batch/,
  ],
  [
    "some of the images",
    (x) => torch.cat([x.slice(0, 0, 1), x.slice(0, 1)], 0),
    /the layer odd (takes some of the images|gives a tensor)/,
  ],
  ["another dtype", (x) => x.to({ dtype: "float64" }).mul(2), /the layer odd computes in float64/],
  [
    "a view of what is written over",
    (x) => {
      const y = x.mul(2);
      const view = y.slice(1, 0, 1);
      y.relu_();
      return view;
    },
    /view of a tensor that was written over/,
  ],
  [
    "batch statistics",
    (x) => torch.batchNorm(x, undefined, undefined, undefined, undefined, true, 0.1, 1e-5, false),
    /by the batch's own statistics/,
  ],
])("refuses %s, naming the layer", (_, body, message) => {
  const run = () => exportOnnx([new Odd(body)], { ...options, classes: 192 });
  expect(run).toThrow(OnnxError);
  expect(run).toThrow(message);
});

it("writes over a tensor that it has made, and over one of zeros", async () => {
  const body = (x: torch.Tensor) => {
    const y = torch.zeros([1, 3, 8, 8]).add(weights);
    y.mul_(3);
    return x.mul(2).add_(y).relu_();
  };
  expect(await differenceOf(new Odd(body), images)).toBeLessThan(1e-6);
});

it("refuses networks in training mode, and what gives no logits", () => {
  expect(() => exportOnnx([network(0)], options)).toThrow(/call eval\(\) first/);
  const planes = new Sequential(new Conv2d(3, 4, 1, { generator: new torch.Generator(0) })).eval();
  expect(() => exportOnnx([planes], options)).toThrow(/gives \[N, 4, 8, 8\] instead of one row of logits/);
});
