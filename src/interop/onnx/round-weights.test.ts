/** Weights rounded to int8, by onnxruntime-web beside networks whose weights are rounded by libtorch's operators. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { createModel } from "../../models/index.js";
import { foldBatchNorm, type Module } from "../../nn/index.js";
import * as torch from "../../torch/index.js";
import { exportOnnx } from "./export.js";
import { roundChannels } from "./round-weights.js";
import { answerOf, largestDifference } from "./testing/run.js";

const images = torch.keep(torch.randn([3, 3, 32, 32], { generator: new torch.Generator(9) }));
const logitsOf = (model: Module) =>
  torch.scope(() => torch.noGrad(() => model.forward(images).toTypedArray() as Float32Array));

/** Rounds every weight of two dimensions or more in place: to the nearest of 127 steps of its output channel's largest. */
function rounded(model: Module): Module {
  torch.scope(() =>
    torch.noGrad(() => {
      for (const weight of Object.values(model.stateDict())) {
        if (weight.shape.length < 2) continue;
        const dims = weight.shape.slice(1).map((_, i) => i + 1);
        const scale = weight.abs().amax(dims, true).div(127);
        // In float64, as near ties are decided otherwise in float32.
        const steps = weight
          .to({ dtype: "float64" })
          .div(scale.to({ dtype: "float64" }))
          .round();
        weight.copy_(steps.clamp(-127, 127).mul(scale));
      }
    }),
  );
  return model;
}

it.each(["resnet8", "mobilenet-v2", "densenet-bc-40-12"])(
  "%s answers as with rounded weights",
  async (name) => {
    const make = () => {
      const generator = new torch.Generator(3);
      return foldBatchNorm(createModel(name, { classes: 4, channels: 3, generator, height: 32, width: 32 }));
    };
    const options = { size: { channels: 3, height: 32, width: 32 }, classes: 4, version: "0" };
    const model = make();
    const whole = exportOnnx([model], options);
    const small = exportOnnx([model], { ...options, int8: true });
    const { data } = await answerOf(small, images);
    const expected = logitsOf(rounded(make()));
    expect(largestDifference(expected, data)).toBeLessThan(1e-4);
    // The test could fail: without rounding the answers are others.
    expect(largestDifference(logitsOf(model), data)).toBeGreaterThan(1e-4);
    expect(small.length).toBeLessThan(0.5 * whole.length);
  },
);

it("rounds to the nearest of 127 steps of the channel's largest number", () => {
  const floats = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(floats, fc.integer({ min: 1, max: 3 }), (list, channels) => {
      const given = Float32Array.from(
        { length: list.length * channels },
        (_, i) => list[i % list.length]! / (1 + Math.floor(i / list.length)),
      );
      const { values, scales } = roundChannels(given, channels);
      for (const [i, value] of values.entries()) {
        const channel = given
          .subarray(0)
          .slice(Math.floor(i / list.length) * list.length, (Math.floor(i / list.length) + 1) * list.length);
        const largest = channel.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
        const scale = scales[Math.floor(i / list.length)]!;
        // Half a step, and what the scale itself was rounded by; numbers near float32's smallest have no finer steps.
        expect(Math.abs(value * scale - given[i]!)).toBeLessThanOrEqual(
          (0.5 + 1e-4) * (largest / 127) + 1e-43,
        );
        expect(Math.abs(value)).toBeLessThanOrEqual(127);
      }
    }),
  );
  expect(roundChannels(new Float32Array(4), 2)).toEqual({
    values: new Int8Array(4),
    scales: Float32Array.of(1, 1),
  });
  expect([...roundChannels(Float32Array.of(1, -0.25, 0.003, 254), 2).values]).toEqual([127, -32, 0, 127]);
});
