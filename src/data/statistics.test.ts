import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ImageSet } from "./image-set.js";
import { channelStatistics } from "./statistics.js";

const imageSets = fc
  .record({
    count: fc.integer({ min: 1, max: 6 }),
    channels: fc.constantFrom(1, 3),
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
  })
  .chain((shape) => {
    const length = shape.count * shape.channels * shape.height * shape.width;
    return fc.uint8Array({ minLength: length, maxLength: length }).map(
      (images): ImageSet => ({
        name: "random",
        images,
        labels: new Int32Array(shape.count),
        classNames: ["one"],
        ...shape,
      }),
    );
  });

describe("channelStatistics", () => {
  it("agrees with the two-pass definition", () => {
    fc.assert(
      fc.property(imageSets, fc.nat(5), (set, last) => {
        const indices = Int32Array.from(
          { length: Math.min(last + 1, set.count) },
          (_, i) => set.count - 1 - i,
        );
        const { mean, std } = channelStatistics(set, indices);
        const plane = set.height * set.width;
        for (let c = 0; c < set.channels; c++) {
          const values = [...indices].flatMap((i) => [
            ...set.images.subarray((i * set.channels + c) * plane, (i * set.channels + c + 1) * plane),
          ]);
          const average = values.reduce((sum, v) => sum + v / 255, 0) / values.length;
          const deviation = Math.sqrt(
            values.reduce((sum, v) => sum + (v / 255 - average) ** 2, 0) / values.length,
          );
          expect(mean[c]).toBeCloseTo(average, 10);
          if (new Set(values).size > 1) expect(std[c]).toBeCloseTo(deviation, 6);
        }
      }),
    );
  });

  it("gives a constant channel a deviation of 1", () => {
    const shape = { count: 2, channels: 1, height: 1, width: 3 };
    const set = {
      name: "grey",
      images: new Uint8Array(6).fill(51),
      labels: new Int32Array(2),
      classNames: [],
      ...shape,
    };
    expect(channelStatistics(set)).toEqual({ mean: [0.2], std: [1] });
    expect(() => channelStatistics(set, new Int32Array(0))).toThrow(/no images of grey/);
  });
});
