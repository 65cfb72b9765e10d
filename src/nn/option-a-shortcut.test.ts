import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { OptionAShortcut } from "./index.js";

const optionAShortcut = (x: torch.Tensor, channels: number, stride: number) =>
  new OptionAShortcut(channels, { stride }).forward(x);

describe.each([
  { from: 16, to: 32, stride: 2, size: 8 },
  { from: 16, to: 32, stride: 2, size: 7 },
  { from: 3, to: 8, stride: 1, size: 5 },
  { from: 4, to: 4, stride: 2, size: 5 },
])("from $from to $to channels, stride $stride, $size pixels", ({ from, to, stride, size }) => {
  const x = torch.keep(torch.randn([2, from, size, size]).contiguous("channelsLast").requiresGrad_());
  const kept = Math.ceil(size / stride);
  const before = Math.floor((to - from) / 2);

  it("is slicing and padding", () => {
    const values = x.tolist() as number[][][][];
    const expected = values.map((image) =>
      Array.from({ length: to }, (_, channel) =>
        Array.from({ length: kept }, (_, i) =>
          Array.from({ length: kept }, (_, j) => image[channel - before]?.[i * stride]?.[j * stride] ?? 0),
        ),
      ),
    );
    expect(optionAShortcut(x, to, stride).tolist()).toEqual(expected);
  });

  it("stays channels-last, and so does its gradient", () => {
    const y = optionAShortcut(x, to, stride);
    const gradOutput = torch.randn([2, to, kept, kept]).contiguous("channelsLast");
    const [gradient] = torch.grad(y, [x], { gradOutputs: [gradOutput] });
    expect(y.shape).toEqual([2, to, kept, kept]);
    for (const tensor of [y, gradient!]) {
      expect(tensor.isContiguous("channelsLast")).toBe(true);
      expect(tensor.isContiguous()).toBe(false);
    }
    const taken = (gradOutput.tolist() as number[][][][]).map((image) => image.slice(before, before + from));
    const given = (gradient!.tolist() as number[][][][]).map((image) =>
      image.map((rows) =>
        rows.filter((_, i) => i % stride === 0).map((row) => row.filter((_, j) => j % stride === 0)),
      ),
    );
    expect(given).toEqual(taken);
  });
});

it("is the image itself where nothing changes", () => {
  const x = torch.ones([1, 4, 2, 2]);
  expect(optionAShortcut(x, 4, 1)).toBe(x);
});

it("refuses to drop channels", () => {
  expect(() => optionAShortcut(torch.ones([1, 4, 2, 2]), 3, 1)).toThrow("4 do not go into 3");
});

it.each([
  [16, 32, 2],
  [32, 64, 2],
  [16, 48, 1],
  [16, 80, 3],
])("is the same in blocks of channels, from %i to %i by %i", (from, to, stride) => {
  const generator = new torch.Generator(1);
  const x = torch.randn([2, from, 7, 7], { generator });
  const gradOutput = torch.randn([2, to, Math.ceil(7 / stride), Math.ceil(7 / stride)], { generator });
  const run = (toOrder: (x: torch.Tensor) => torch.Tensor, back: (y: torch.Tensor) => torch.Tensor) => {
    const leaf = x.detach().requiresGrad_();
    const y = back(optionAShortcut(toOrder(leaf), to, stride));
    return [y.detach(), ...torch.grad(y, [leaf], { gradOutputs: [gradOutput] })] as torch.Tensor[];
  };
  const same = (x: torch.Tensor) => x;
  const inBlocks = (x: torch.Tensor) => x.reshape([2, from / 16, 16, 7, 7]).permute([0, 1, 3, 4, 2]);
  const plain = (y: torch.Tensor) => y.permute([0, 1, 4, 2, 3]).reshape(gradOutput.shape);
  const [found, expected] = [run(inBlocks, plain), run(same, same)];
  for (const [i, one] of expected.entries()) expect(found[i]!.sub(one).abs().max().item()).toBe(0);
});
