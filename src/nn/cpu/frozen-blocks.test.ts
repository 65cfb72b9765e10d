import { describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";

const generator = new torch.Generator(1);
const draw = (...shape: number[]) => torch.randn(shape, { generator });

describe.each([
  [1, 16, 8, 8],
  [5, 32, 7, 9],
  [14, 16, 16, 16],
  [0, 16, 8, 8],
])("lyceum::frozen_blocks on [%i, %i, %i, %i]", (batch, channels, height, width) => {
  const planes = draw(batch, channels, height, width);
  const inBlocks = [batch, channels / 16, 16, height, width];
  const x = planes.view(inBlocks).permute([0, 1, 3, 4, 2]).contiguous();
  const weights = [0, 1, 2, 3].map(() => draw(channels, channels, 3, 3).mul(1 / Math.sqrt(9 * channels)));
  const biases = weights.map(() => draw(channels));

  it.each([true, false])(
    "leaves x as it is, and answers as frozen_blocks_ does (Winograd: %j)",
    (allowed) => {
      const [given, overwritten] = [x.clone(), x.clone()];
      const y = torch.op("lyceum::frozen_blocks", given, weights, biases, allowed);
      torch.op("lyceum::frozen_blocks_", overwritten, weights, biases, allowed);
      expect(torch.op("aten::equal", given, x)).toBe(true);
      expect(torch.op("aten::equal", y, overwritten)).toBe(true);
    },
  );

  it.each([true, false])("computes each block's sum, as float64 does (Winograd: %j)", (allowed) => {
    if (batch === 0) return;
    const y = torch.op("lyceum::frozen_blocks", x, weights.slice(0, 2), biases.slice(0, 2), allowed);
    const block = (dtype: torch.DType) => {
      const convolve = (input: torch.Tensor, i: number) =>
        torch.op("aten::conv2d", input, weights[i]!.to({ dtype }), biases[i]!.to({ dtype }), [1, 1], [1, 1]);
      const input = planes.to({ dtype });
      return convolve(convolve(input, 0).relu(), 1).add(input).relu();
    };
    const exact = block("float64");
    const worst = (found: torch.Tensor) => found.to({ dtype: "float64" }).sub(exact).abs().max().item();
    // libtorch's own error in float32 is the measure. Winograd's algorithm goes by larger numbers, which round more coarsely.
    const found = y.permute([0, 1, 4, 2, 3]).reshape([batch, channels, height, width]);
    expect(worst(found)).toBeLessThan((allowed ? 30 : 8) * worst(block("float32")));
  });
});
