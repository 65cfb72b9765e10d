import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { optionAShortcut } from "./option-a-shortcut.js";

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
