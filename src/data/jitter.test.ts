import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { augmentInBackground } from "./augment.js";
import { drawJitter, inTurn, type JitterOptions, jitterProblem } from "./jitter.js";
import { type ImageOperation, imageOperations } from "./policies/operations.js";

interface Fixture {
  shape: [number, number, number];
  values: string;
  cases: { steps: [ImageOperation, number][]; result: string }[];
}
const fixture: Fixture = JSON.parse(readFileSync(new URL("./fixtures/jitter.json", import.meta.url), "utf8"));
const bytesOf = (base64: string) => [...Buffer.from(base64, "base64")];

describe("operations", () => {
  it.each(fixture.cases)("make torchvision's bytes: $steps", async ({ steps, result }) => {
    const image = Uint8Array.from(bytesOf(fixture.values));
    const table = [1, steps.length];
    const made = await augmentInBackground(
      {
        images: torch.tensor(image, { shape: [1, ...fixture.shape] }),
        indices: torch.tensor([0], { dtype: "int64" }),
        offsets: torch.tensor(new Int32Array(3), { shape: [1, 3] }),
        pad: 0,
        mean: [0, 0, 0],
        std: [1, 1, 1],
      },
      {
        operations: torch.tensor(
          Int32Array.from(steps, ([name]) => imageOperations.indexOf(name)),
          { shape: table },
        ),
        magnitudes: torch.tensor(
          Float64Array.from(steps, ([, m]) => m),
          { shape: table },
        ),
      },
    );
    const fractions = [...(made.toTypedArray() as Float32Array)];
    expect(fractions.map((value) => Math.round(255 * value))).toEqual(bytesOf(result));
  });
});

describe("draws", () => {
  const many = Int32Array.from({ length: 4800 }, (_, i) => i);
  const all: JitterOptions = { brightness: 0.4, contrast: 1.5, saturation: 0.2, hue: 0.1 };

  it("depend on seed, epoch and index alone", () => {
    const drawn = drawJitter(many, all, 3, 2);
    expect(drawn.count).toBe(4);
    const one = drawJitter(Int32Array.of(9), all, 3, 2);
    expect(drawn.operations.subarray(36, 40)).toEqual(one.operations);
    expect(drawn.magnitudes.subarray(36, 40)).toEqual(one.magnitudes);
    expect(drawn.magnitudes).not.toEqual(drawJitter(many, all, 3, 1).magnitudes);
    expect(drawn.magnitudes).not.toEqual(drawJitter(many, all, 2, 2).magnitudes);
  });

  it("have each order as often as the others, and all magnitudes of their ranges", () => {
    const { operations, magnitudes } = drawJitter(many, all, 0, 0);
    const orders = new Map<string, number>();
    for (let b = 0; b < many.length; b++) {
      const order = operations.subarray(4 * b, 4 * b + 4).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    // 200 of each are expected, with a standard deviation of 13.8.
    for (const count of orders.values()) expect(Math.abs(count - 200)).toBeLessThan(4.5 * 13.8);
    const ranges = { brightness: [-0.4, 0.4], contrast: [-1, 1.5], color: [-0.2, 0.2], hue: [-0.1, 0.1] };
    for (const [name, [low, high]] of Object.entries(ranges) as [ImageOperation, [number, number]][]) {
      const code = imageOperations.indexOf(name);
      const own = magnitudes.filter((_, i) => operations[i] === code);
      expect(own.length).toBe(many.length);
      const places = own.map((m) => (m - low) / (high - low));
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...places)).toBeLessThan(1);
      const mean = places.reduce((a, b) => a + b) / places.length;
      // The standard deviation of one is 0.289, of the mean of 4800 of them 0.0042.
      expect(Math.abs(mean - 0.5)).toBeLessThan(4.5 * 0.0042);
    }
  });

  it("leave out what does not change, and come before those of a policy", () => {
    const hue = drawJitter(many, { hue: 0.1, contrast: 0 }, 0, 0);
    expect(hue.count).toBe(1);
    expect(drawJitter(many, {}, 0, 0)).toMatchObject({ count: 0, operations: new Int32Array(0) });
    const two = drawJitter(many, { brightness: 1, saturation: 1 }, 0, 0);
    const both = inTurn(hue, two);
    expect(both.count).toBe(3);
    expect(both.operations.subarray(6, 9)).toEqual(Int32Array.of(14, ...two.operations.subarray(4, 6)));
    expect(both.magnitudes.subarray(6, 9)).toEqual(
      Float64Array.of(hue.magnitudes[2]!, ...two.magnitudes.subarray(4, 6)),
    );
    const none = drawJitter(many, {}, 0, 0);
    expect(inTurn(none, two)).toBe(two);
    expect(inTurn(two, none)).toBe(two);
  });

  it.each([
    [{ hue: 0.6 }, "jitter.hue must be a number from 0 to 0.5, got 0.6"],
    [{ contrast: -1 }, "jitter.contrast must be a number from 0 to 100, got -1"],
    [{ brightness: Number.NaN }, "jitter.brightness must be a number from 0 to 100, got NaN"],
  ])("are refused for %j", (options, message) => {
    expect(jitterProblem(options)).toBe(message);
    expect(jitterProblem(all)).toBeUndefined();
  });
});
