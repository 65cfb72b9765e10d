import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { toBlocks } from "./cpu/blocks.js";
import { hasOwnKernels } from "./cpu/build.js";
import { Conv2d, DeferredConvolution, FoldedConvolution } from "./index.js";
import { expectAsExact, largest } from "./testing/rounding.js";

const generator = new torch.Generator(1);
const convolution = new Conv2d(32, 32, 3, { padding: 1, generator });
convolution.requiresGrad_(false);
const deferred = new DeferredConvolution({ owner: "", convolution: "conv", batchNorm: "norm" });
const folded = new FoldedConvolution(convolution, deferred);
const draw = () => torch.randn([14, 32, 7, 7], { generator });
const orders: Record<string, (x: torch.Tensor) => torch.Tensor> = {
  planes: (x) => x.contiguous(),
  rows: (x) => x.contiguous("channelsLast"),
};
if (hasOwnKernels()) orders.blocks = (x) => toBlocks(x).y;

interface Options {
  adds: boolean;
  relu: boolean;
  overwrite?: boolean;
}

/** By libtorch's operators, in the dtype of what is given. */
function composed(x: torch.Tensor, residual: torch.Tensor, { adds, relu }: Options): torch.Tensor {
  const { dtype } = x;
  const pair = [1, 1];
  const y = torch.conv2d(x, convolution.weight.to({ dtype }), convolution.bias!.to({ dtype }), pair, pair);
  const sum = adds ? y.add(residual) : y;
  return relu ? sum.relu() : sum;
}

function judge(
  x: torch.Tensor,
  residual: torch.Tensor,
  options: Options,
  order: (x: torch.Tensor) => torch.Tensor,
) {
  const of = { dtype: "float64" } as const;
  return {
    libtorch: order(composed(x, residual, options)),
    exact: order(composed(x.to(of), residual.to(of), options)),
  };
}

describe.each(Object.entries(orders))("FoldedConvolution, %s", (_, order) => {
  it.each([
    { adds: false, relu: false },
    { adds: false, relu: true },
    { adds: true, relu: false },
    { adds: true, relu: true },
    { adds: true, relu: true, overwrite: true },
  ])("does %j in the same pass, and leaves the residual as it was unless it is given up", (options) => {
    const [x, residual] = [draw(), draw()];
    const [given, added] = [order(x), order(residual).clone()];
    const before = added.clone();
    const { adds, relu, overwrite = false } = options;
    const found = folded.forward(
      deferred.forward(given),
      adds ? { residual: added, overwriteResidual: overwrite, relu } : { relu },
    );
    expectAsExact(found, judge(x, residual, options, order));
    if (!overwrite) expect(added.equal(before)).toBe(true);
  });

  it("passes a gradient on to what it was given, and to the residual", () => {
    const [given, added] = [draw(), draw()];
    const gradients = (dtype: torch.DType, forward: (x: torch.Tensor, y: torch.Tensor) => torch.Tensor) => {
      const leaves = [given, added].map((one) => one.detach().to({ dtype }).clone().requiresGrad_());
      const [x, residual] = leaves.map((leaf) => (dtype === "float32" ? order(leaf) : leaf));
      return torch.grad(forward(x!, residual!).sum(), leaves);
    };
    const found = gradients("float32", (x, residual) =>
      folded.convolve(x, { residual, overwriteResidual: true }),
    );
    const plain = (x: torch.Tensor, residual: torch.Tensor) =>
      composed(x, residual, { adds: true, relu: false });
    const exact = gradients("float64", plain);
    const weights = convolution.weight.abs().sum([0]).sum([1, 2]);
    // Each is a sum of 288 products with ones, which rounds by no more than 288 units of the sum of their sizes.
    const bound = 2 * 288 * 2 ** -24 * largest(weights);
    expect(largest(found[0]!.sub(exact[0]!))).toBeLessThanOrEqual(bound);
    expect(found[1]!.equal(torch.onesLike(added))).toBe(true);
  });

  it("adds what has to be broadcast", () => {
    const [x, residual] = [draw(), torch.randn([14, 32, 1, 1], { generator })];
    const options = { adds: true, relu: true };
    const found = folded.convolve(order(x), { residual: order(residual), relu: true });
    expectAsExact(found, judge(x, residual, options, order));
  });
});

it("says that its operators have no gradient", () => {
  const x = torch.ones([1, 16, 3, 3]).contiguous("channelsLast").requiresGrad_();
  const weight = torch.ones([16, 16, 3, 3]);
  const call = () => torch.op("lyceum::conv2d_relu", x, weight, undefined, [1, 1], [1, 1], false);
  expect(call).toThrow(/has no gradient/);
  expect(torch.noGrad(call).shape).toEqual([1, 16, 3, 3]);
  const alias = x.detach();
  const add = () =>
    torch.op("lyceum::add_conv2d_", alias, alias, weight, undefined, [1, 1], [1, 1], false, true);
  expect(add).toThrow(/must not be what is convolved/);
});

it("can be trained on, once its weights ask for gradients", () => {
  const layer = new Conv2d(16, 16, 3, { padding: 1, generator });
  const place = new DeferredConvolution({ owner: "", convolution: "conv", batchNorm: "norm" });
  const x = torch.randn([2, 16, 5, 5], { generator }).contiguous("channelsLast");
  const y = new FoldedConvolution(layer, place).convolve(x, { residual: x.clone(), relu: true });
  y.sum().backward();
  expect(layer.weight.grad?.shape).toEqual([16, 16, 3, 3]);
});
