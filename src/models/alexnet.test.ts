import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { options } from "./fixtures/cases.js";
import { AlexNet } from "./index.js";

describe("AlexNet", () => {
  const model = () => new AlexNet({ ...options, generator: new torch.Generator(1) });

  it("takes images of 63 x 63 pixels, refuses smaller ones, and drops in training alone", () => {
    torch.scope(() => {
      const net = model().to({ memoryFormat: "channelsLast" });
      const forward = (size: number, dtype: torch.DType = "float32") => {
        const x = torch.randn([2, 3, size, size], { generator: new torch.Generator(2) });
        return torch.noGrad(() => net.forward(x.contiguous("channelsLast").to({ dtype })));
      };
      const [first, second] = [forward(63), forward(63)];
      expect(first.shape).toEqual([2, 10]);
      expect(second.equal(first)).toBe(false);
      net.eval();
      const answer = forward(63);
      expect(forward(63).equal(answer)).toBe(true);
      // A dozen roundings to 8 bits.
      const apart = forward(63, "bfloat16").sub(answer).abs().max().item();
      expect(apart / answer.abs().max().item()).toBeLessThan(12 * 2 ** -8);
      expect(() => forward(62)).toThrow(
        "AlexNet needs images of 63 x 63 pixels or more, got 62 x 62: enlarge them, or choose a network for small images",
      );
      // As PyTorch's layers begin. 2.4 million draws come close to the bound.
      const largest = net.namedParameters().get("classifier.1.weight")!.abs().max().item() * Math.sqrt(9216);
      expect(largest).toBeLessThanOrEqual(1 + 1e-6);
      expect(largest).toBeGreaterThan(0.99);
      net.dispose();
    });
  });

  it("refuses a dropout rate out of range", () => {
    expect(() => new AlexNet({ ...options, dropoutRate: 1 })).toThrow(
      /dropout rate must be from 0 to below 1, got 1/,
    );
  });
});
