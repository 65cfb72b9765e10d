import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { blocked, Conv2d, FoldedConvolution } from "./index.js";

const generator = new torch.Generator(1);
const convolution = new Conv2d(32, 32, 3, { padding: 1, generator });
convolution.requiresGrad_(false);
const folded = new FoldedConvolution(convolution);
const draw = () => torch.randn([14, 32, 7, 7], { generator });
const orders = {
  planes: (x: torch.Tensor) => x.contiguous(),
  rows: (x: torch.Tensor) => x.contiguous("channelsLast"),
  blocks: (x: torch.Tensor) => blocked(x),
};

describe.each(Object.entries(orders))("FoldedConvolution, %s", (_, order) => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("adds (%j) and rectifies (%j) in the same pass, and leaves the residual as it was", (adds, relu) => {
    const [x, residual] = [order(draw()), order(draw())];
    const before = residual.clone();
    const sum = adds ? convolution.forward(x).add(residual) : convolution.forward(x);
    const expected = relu ? sum.relu() : sum;
    const found = folded.forward(x, adds ? { residual, relu } : { relu });
    expect(found.sub(expected).abs().max().item()).toBeLessThan(1e-5);
    expect(residual.sub(before).abs().max().item()).toBe(0);
  });

  it("may overwrite what nobody needs any more", () => {
    const [x, residual] = [order(draw()), order(draw())];
    const expected = folded.forward(x, { residual, relu: true });
    const found = folded.forward(x, { residual, lastUse: true, relu: true });
    expect(found.sub(expected).abs().max().item()).toBeLessThan(1e-6);
  });

  it("passes a gradient on to what it was given", () => {
    const [given, residual] = [order(draw()), order(draw())];
    const x = given.detach().requiresGrad_();
    const [found] = torch.grad(folded.forward(x, { residual, relu: true }).sum(), [x]);
    const again = given.detach().requiresGrad_();
    const [expected] = torch.grad(convolution.forward(again).add(residual).relu().sum(), [again]);
    expect(found!.sub(expected!).abs().max().item()).toBeLessThan(1e-5);
  });
});

it.skipIf(!torch.hasOperator("lyceum::conv2d"))("says that its operators have no gradient", () => {
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
