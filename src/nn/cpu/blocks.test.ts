import { describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { channelsOf, eachBlock, fromBlocks, isBlocked, toBlocks } from "./blocks.js";

describe("blocks of channels", () => {
  it.each([
    ["channelsLast", 16],
    ["channelsLast", 48],
    ["contiguous", 16],
    ["contiguous", 48],
  ] as const)(
    "reorder %s activations of %d channels; the gradient comes back channels-last",
    (format, channels) => {
      const x = torch.randn([2, channels, 5, 3]).contiguous(format).requiresGrad_();
      const { y } = toBlocks(x);
      expect([y.shape, isBlocked(y), channelsOf(y)]).toEqual([[2, channels / 16, 5, 3, 16], true, channels]);
      for (const channel of [0, channels - 1]) {
        const there = y.select(1, Math.floor(channel / 16)).select(3, channel % 16);
        expect(there.equal(x.select(1, channel))).toBe(true);
      }
      const back = fromBlocks(y);
      expect(back.equal(x)).toBe(true);
      expect(back.isContiguous("channelsLast")).toBe(true);
      const [gradient] = torch.grad(back.square().sum(), [x]);
      expect(gradient!.equal(x.mul(2))).toBe(true);
      expect(gradient!.isContiguous("channelsLast")).toBe(true);
    },
  );

  it.each([
    ["channelsLast", [2, 16, 5, 3]],
    ["channelsLast", [2, 48, 5, 3]],
    ["contiguous", [2, 16, 5, 3]],
    ["contiguous", [1, 32, 1, 1]],
    ["contiguous", [1, 16, 1, 1]],
  ] as const)("say so where they may be the memory of the %s input %j itself", (format, shape) => {
    const x = torch.randn([...shape]).contiguous(format);
    const before = x.clone();
    const { y, mayAlias } = toBlocks(x);
    y.fill_(7);
    if (!mayAlias) expect(x.equal(before)).toBe(true);
    else expect(x.equal(before) || x.eq(7).all().item() === 1).toBe(true);
    // The case that the word is for.
    if (format === "channelsLast" && shape[1] === 16)
      expect([mayAlias, x.equal(before)]).toEqual([true, false]);
    if (shape[1] === 48) expect(mayAlias).toBe(false);
  });

  it("keep what is done to each channel by itself", () => {
    const x = torch.randn([2, 48, 6, 6], { generator: new torch.Generator(1) });
    const pool = (x: torch.Tensor) => torch.maxPool2d(x, 3, 2, 1);
    const found = eachBlock(toBlocks(x).y, pool);
    expect(isBlocked(found)).toBe(true);
    expect(fromBlocks(found).equal(pool(x))).toBe(true);
  });
});
