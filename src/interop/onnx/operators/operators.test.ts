/** Each operator by itself: what onnxruntime-web makes of it beside libtorch. */
import { beforeAll, expect, it } from "vitest";
import { Module } from "../../../nn/index.js";
import * as torch from "../../../torch/index.js";
import { exportOnnx } from "../export.js";
import { answerOf, largestDifference } from "../testing/run.js";
import { converters } from "./index.js";

type Body = (x: torch.Tensor) => torch.Tensor;

/** A network that computes all functions, one result after the other. */
class All extends Module {
  readonly #bodies: readonly Body[];

  constructor(bodies: readonly Body[]) {
    super();
    this.#bodies = bodies;
    this.training = false;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return torch.cat(
      this.#bodies.map((body) => body(x).flatten(1)),
      1,
    );
  }
}

const generator = new torch.Generator(3);
const weights = (shape: number[]) => torch.keep(torch.randn(shape, { generator }));
const [four, vector, square, kernel] = [weights([4]), weights([7]), weights([7, 7]), weights([6, 2, 3, 2])];
const [rows, positive] = [weights([5, 7]), torch.keep(torch.rand([4], { generator }).add(0.5))];
const plane = weights([1, 4, 6, 7]);
const [three, five, tall, wide, onlyRows] = [
  weights([3]),
  weights([5]),
  weights([168, 3]),
  weights([3, 168]),
  weights([3, 4, 1, 1]),
];

/** An operator that libtorch has under this name, with what follows the tensor. */
const op =
  (name: string, ...rest: unknown[]): Body =>
  (x) =>
    torch.op(`aten::${name}`, x, ...rest);

/** Bodies for images [N, 4, 6, 7], by the operator that they are about. */
const bodies: Record<string, Body[]> = {
  conv2d: [
    op("conv2d", kernel, undefined, [2, 1], [1, 0], [1, 2], 2),
    (x) => torch.conv2d(x, onlyRows, three),
  ],
  linear: [op("linear", rows, five), (x) => torch.linear(x.flatten(1), wide, three), op("linear", rows)],
  matmul: [op("matmul", square)],
  mm: [(x) => torch.op("aten::mm", x.flatten(1), tall)],
  bmm: [(x) => torch.op("aten::bmm", x.flatten(2), x.flatten(2).transpose(1, 2))],
  addmm: [(x) => torch.op("aten::addmm", three, x.flatten(1), tall, 0.5, 2)],
  batch_norm: [
    op("batch_norm", four, undefined, four, positive, false, 0.1, 1e-3, false),
    op("batch_norm", undefined, four, four, positive, false, 0.1, 1e-3, false),
  ],
  layer_norm: [
    op("layer_norm", [6, 7], weights([6, 7]), weights([6, 7]), 1e-3),
    op("layer_norm", [7], undefined, undefined, 1e-3),
  ],
  group_norm: [op("group_norm", 2, four, four, 1e-3), op("group_norm", 4, undefined, undefined, 1e-3)],
  max_pool2d: [
    op("max_pool2d", [2, 3], [], [1, 1], [1, 2]),
    op("max_pool2d", [3, 3], [2, 2], [0, 0], [1, 1], true),
  ],
  avg_pool2d: [
    op("avg_pool2d", [3, 3], [2, 2], [1, 1], false, true),
    op("avg_pool2d", [3, 3], [2, 2], [1, 1], false, false),
    op("avg_pool2d", [2, 2]),
  ],
  adaptive_avg_pool2d: [
    op("adaptive_avg_pool2d", [1, 1]),
    op("adaptive_avg_pool2d", [3, 7]),
    op("adaptive_avg_pool2d", [4, 3]),
    op("adaptive_avg_pool2d", [6, 7]),
    op("adaptive_avg_pool2d", [8, 9]),
  ],
  add: [op("add.Tensor", vector, 0.5), op("add.Scalar", 2, 3), (x) => x.clone().add_(plane)],
  sub: [op("sub.Tensor", vector, 0.5), op("sub.Scalar", 2, 3)],
  rsub: [op("rsub.Tensor", vector, 0.5), op("rsub.Scalar", 2, 3)],
  mul: [op("mul.Tensor", vector), (x) => x.mul(0.3), (x) => x.mul(x)],
  div: [op("div.Tensor", positive.reshape([4, 1, 1])), (x) => x.div(3)],
  minimum: [op("minimum", plane)],
  maximum: [op("maximum", plane)],
  pow: [op("pow.Tensor_Scalar", 3)],
  square: [op("square")],
  rsqrt: [(x) => x.abs().add(0.1).rsqrt()],
  relu: [op("relu"), (x) => x.clone().relu_()],
  relu6: [(x) => torch.op("aten::relu6", x.mul(9))],
  hardtanh: [op("hardtanh", -0.5, 0.7)],
  clamp: [op("clamp", -0.5, 0.7), op("clamp", undefined, 0.7), op("clamp", -0.5)],
  clamp_min: [op("clamp_min", 0.2)],
  clamp_max: [op("clamp_max", 0.2)],
  sigmoid: [op("sigmoid")],
  tanh: [op("tanh")],
  leaky_relu: [op("leaky_relu", 0.2), op("leaky_relu")],
  elu: [op("elu", 0.7)],
  gelu: [op("gelu"), op("gelu", "tanh")],
  silu: [op("silu")],
  mish: [op("mish")],
  softplus: [op("softplus")],
  hardswish: [(x) => torch.op("aten::hardswish", x.mul(3))],
  hardsigmoid: [(x) => torch.op("aten::hardsigmoid", x.mul(3))],
  exp: [op("exp")],
  log: [(x) => x.abs().add(0.1).log()],
  sqrt: [(x) => x.abs().sqrt()],
  reciprocal: [(x) => x.abs().add(0.5).reciprocal()],
  abs: [op("abs")],
  neg: [op("neg")],
  sign: [op("sign")],
  floor: [op("floor")],
  ceil: [op("ceil")],
  round: [op("round")],
  sin: [op("sin")],
  cos: [op("cos")],
  erf: [op("erf")],
  contiguous: [(x) => x.transpose(1, 2).contiguous()],
  clone: [op("clone")],
  detach: [(x) => x.mul(2).detach()],
  alias: [op("alias")],
  to: [(x) => torch.op("aten::to.dtype", x, "float32", false, true)],
  _to_copy: [op("_to_copy")],
  dropout: [op("dropout", 0.5, false)],
  feature_dropout: [op("feature_dropout", 0.5, false)],
  reshape: [(x) => x.reshape([-1, 12, 14]), (x) => x.reshape([x.shape[0]!, -1])],
  view: [(x) => x.view([x.shape[0]!, 2, 2, 42])],
  _unsafe_view: [(x) => torch.op("aten::_unsafe_view", x, [x.shape[0]!, 168])],
  flatten: [op("flatten.using_ints", 2), op("flatten.using_ints", 1, 2)],
  unflatten: [op("unflatten.int", 1, [2, 2])],
  squeeze: [(x) => x.mean([2], true).squeeze(2)],
  unsqueeze: [(x) => x.unsqueeze(1), (x) => x.unsqueeze(-1)],
  permute: [(x) => x.permute([0, 2, -1, 1])],
  transpose: [(x) => x.transpose(1, -1)],
  t: [(x) => torch.op("aten::mm", x.flatten(1), wide.mul(2).t())],
  expand: [
    (x) => x.mean([1], true).expand([x.shape[0]!, 3, 6, 7]),
    (x) =>
      vector
        .mul(1)
        .expand([2, 7])
        .add(x.mean([2], true)),
  ],
  cat: [(x) => torch.cat([x, x.mul(2), plane.add(x)], 1), (x) => torch.cat([x, x.neg()], -1)],
  stack: [(x) => torch.stack([x, x.mul(2)], 1), (x) => torch.stack([x, x.mul(2)], -1)],
  slice: [
    (x) => x.slice(1, 1, 3),
    (x) => x.slice(2, -4, undefined, 2),
    (x) => x.slice(3).slice(2, undefined, -1),
  ],
  narrow: [(x) => x.narrow(2, 1, 3)],
  select: [(x) => x.select(1, 2), (x) => x.select(-1, -2)],
  chunk: [(x) => torch.cat(x.chunk(3, 3).reverse(), 3)],
  split: [(x) => torch.cat(x.split(2, 2).reverse(), 2)],
  split_with_sizes: [
    (x) => torch.cat((torch.op("aten::split_with_sizes", x, [1, 5], 2) as torch.Tensor[]).reverse(), 2),
  ],
  constant_pad_nd: [
    op("constant_pad_nd", [1, 2, 0, 3], 0.5),
    op("constant_pad_nd", [-1, 0]),
    op("constant_pad_nd", [0, 0, 0, 0, 1, 2]),
  ],
  mean: [(x) => x.mean([2, 3]), (x) => x.mean([-1], true)],
  sum: [(x) => x.sum([2, 3]), (x) => x.sum([1], true)],
  amax: [(x) => x.amax([2, -1])],
  amin: [(x) => x.amin([1], true)],
  softmax: [(x) => x.softmax(1)],
  log_softmax: [(x) => x.logSoftmax(-1)],
};

it("has a case for each converter", () => {
  expect(Object.keys(bodies).sort()).toEqual(Object.keys(converters).sort());
});

const images = torch.keep(torch.randn([5, 4, 6, 7], { generator }));
const all = Object.values(bodies).flat();
let answer: Float32Array;
beforeAll(async () => {
  const own = torch.scope(() => new All(all).forward(images).shape[1]!);
  const size = { channels: 4, height: 6, width: 7 };
  answer = (await answerOf(exportOnnx([new All(all)], { size, classes: own, version: "0" }), images)).data;
});

it.each(Object.entries(bodies))("%s", (_, cases) => {
  for (const body of cases) {
    torch.scope(() => {
      const widths = all.map((each) => each(images).flatten(1).shape[1]!);
      const start = widths.slice(0, all.indexOf(body)).reduce((sum, width) => sum + width, 0);
      const total = widths.reduce((sum, width) => sum + width, 0);
      const expected = body(images).flatten(1);
      const found = torch.tensor(answer, { shape: [5, total] }).slice(1, start, start + expected.shape[1]!);
      const values = found.contiguous().toTypedArray() as Float32Array;
      expect(largestDifference(expected.toTypedArray(), values)).toBeLessThan(1e-5);
    });
  }
});
