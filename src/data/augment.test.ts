import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { type AugmentArguments, augment, augmentInBackground, drawOffsets } from "./augment.js";

/** Draws a call of `augment` as plain data, of small shapes and random values. */
const cases = fc
  .record({
    count: fc.integer({ min: 1, max: 4 }),
    channels: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
    batch: fc.integer({ min: 0, max: 5 }),
  })
  .chain((shape) => {
    const { count, channels, height, width, batch } = shape;
    const bytes = count * channels * height * width;
    const pads = fc.integer({ min: 0, max: Math.min(height, width, 4) - 1 });
    const perChannel = (min: number, max: number) =>
      fc.array(fc.double({ min, max, noNaN: true }), { minLength: channels, maxLength: channels });
    return pads.chain((pad) =>
      fc.record({
        shape: fc.constant(shape),
        pad: fc.constant(pad),
        images: fc.uint8Array({ minLength: bytes, maxLength: bytes }),
        indices: fc.array(fc.nat(count - 1), { minLength: batch, maxLength: batch }),
        offsets: fc.array(fc.tuple(fc.nat(2 * pad), fc.nat(2 * pad), fc.nat(1)), {
          minLength: batch,
          maxLength: batch,
        }),
        mean: perChannel(0, 1),
        std: perChannel(0.01, 1),
      }),
    );
  });

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function asArguments({ shape, images, indices, offsets, ...rest }: Case): AugmentArguments {
  return {
    ...rest,
    images: torch.tensor(images, { shape: [shape.count, shape.channels, shape.height, shape.width] }),
    indices: torch.tensor(Int32Array.from(indices), { dtype: "int64" }),
    offsets: torch.tensor(Int32Array.from(offsets.flat()), { shape: [indices.length, 3] }),
  };
}

/** Augments one pixel at a time, to [B, C, H, W] row by row. */
function naive({
  shape: { channels, height, width },
  images,
  indices,
  offsets,
  pad,
  mean,
  std,
}: Case): number[] {
  const result: number[] = [];
  indices.forEach((index, b) => {
    const [dy, dx, flip] = offsets[b]!;
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const row = y + dy - pad;
          const column = (flip ? width - 1 - x : x) + dx - pad;
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          const value = inside ? images[((index * channels + c) * height + row) * width + column]! : 0;
          result.push((value / 255 - mean[c]!) / std[c]!);
        }
      }
    }
  });
  return result;
}

describe("augment", () => {
  it("does what the definition says, pixel by pixel", () => {
    fc.assert(
      fc.property(cases, (given) => {
        torch.scope(() => {
          const made = augment(asArguments(given));
          expect(made.dtype).toBe("float32");
          expect(made.isContiguous("channelsLast")).toBe(true);
          const expected = naive(given);
          const values = made.toTypedArray() as Float32Array;
          expect(values.length).toBe(expected.length);
          values.forEach((value, i) => {
            // Mean, deviation, quotient, difference and result are each rounded to float32, and are at most 2 / std.
            expect(Math.abs(value - expected[i]!)).toBeLessThan((5 * 2 ** -24 * 2) / Math.min(...given.std));
          });
        });
      }),
    );
  });

  it("is matched to the bit by the fused operator", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const args = asArguments(given);
        const [fused, plain] = [await augmentInBackground(args), augment(args)];
        expect(fused.shape).toEqual(plain.shape);
        expect(fused.isContiguous("channelsLast")).toBe(true);
        expect(fused.toTypedArray()).toEqual(plain.toTypedArray());
        for (const tensor of [fused, plain, args.images, args.indices, args.offsets]) tensor.dispose();
      }),
    );
  });
});

describe("lyceum::augment", () => {
  const good = () => ({
    images: torch.zeros([2, 3, 5, 4], { dtype: "uint8" }),
    indices: torch.tensor(Int32Array.of(1), { dtype: "int64" }),
    offsets: torch.tensor(Int32Array.of(4, 0, 1), { shape: [1, 3] }),
    pad: 2,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  const int64 = (...values: number[]) => torch.tensor(Int32Array.from(values), { dtype: "int64" });
  const int32 = (...values: number[]) => torch.tensor(Int32Array.from(values), { shape: [1, 3] });

  it("refuses whatever would read outside the images or make no sense", async () => {
    const wrong: [Partial<AugmentArguments>, RegExp][] = [
      [{ images: torch.zeros([2, 3, 5, 4]) }, /images must be uint8 \[N, C, H, W\]/],
      [{ images: torch.zeros([3, 5, 4], { dtype: "uint8" }) }, /images must be uint8 \[N, C, H, W\]/],
      [{ images: torch.zeros([2, 3, 4, 5], { dtype: "uint8" }).transpose(2, 3) }, /contiguous/],
      [{ images: torch.zeros([2, 3, 0, 4], { dtype: "uint8" }) }, /must not be empty/],
      [{ indices: torch.tensor(Int32Array.of(1)) }, /indices must be int64/],
      [{ indices: int64(2) }, /indices\[0\] must be 0..1, got 2/],
      [{ indices: int64(-1) }, /indices\[0\] must be 0..1, got -1/],
      [{ indices: int64(0, 1) }, /offsets must be int32 \[2, 3\]/],
      [{ offsets: int64(0, 0, 0).reshape([1, 3]) }, /offsets must be int32/],
      [{ offsets: int32(5, 0, 0) }, /offsets\[0\] must be dy, dx in 0..4 and flip 0 or 1, got 5, 0, 0/],
      [{ offsets: int32(0, -1, 0) }, /offsets\[0\]/],
      [{ offsets: int32(0, 0, 2) }, /offsets\[0\]/],
      [{ pad: 4 }, /pad must be 0 or more and less than the image's 5 x 4, got 4/],
      [{ pad: -1 }, /pad must be/],
      [{ mean: [0] }, /one value per channel \(3\), got 1 and 3/],
      [{ std: [1, 0, 1] }, /std above 0, got 0 and 0 for channel 1/],
      [{ std: [1, Number.NaN, 1] }, /std above 0/],
      [{ mean: [Number.POSITIVE_INFINITY, 0, 0] }, /mean must be finite/],
    ];
    const fine = await augmentInBackground(good());
    expect(fine.shape).toEqual([1, 3, 5, 4]);
    for (const [change, message] of wrong) {
      await expect(augmentInBackground({ ...good(), ...change })).rejects.toThrow(message);
    }
  });
});

describe("drawOffsets", () => {
  const options = { crop: 4, flip: true };
  const many = Int32Array.from({ length: 8100 }, (_, i) => i);

  it("depends on seed, epoch and index alone", () => {
    const together = drawOffsets(Int32Array.of(5, 9, 7), options, 3, 2);
    expect(together.subarray(3, 6)).toEqual(drawOffsets(Int32Array.of(9), options, 3, 2));
    expect(drawOffsets(many, options, 3, 2)).not.toEqual(drawOffsets(many, options, 3, 1));
    expect(drawOffsets(many, options, 3, 2)).not.toEqual(drawOffsets(many, options, 2, 2));
  });

  it("moves evenly over the whole range, and mirrors half", () => {
    const drawn = drawOffsets(many, options, 0, 1);
    for (const column of [0, 1]) {
      const counts = new Array<number>(9).fill(0);
      many.forEach((b) => {
        counts[drawn[3 * b + column]!]!++;
      });
      // 900 are expected of each; the standard deviation is 28.
      for (const count of counts) expect(Math.abs(count - 900)).toBeLessThan(130);
    }
    const flips = many.reduce((sum, b) => sum + drawn[3 * b + 2]!, 0);
    expect(Math.abs(flips - 4050)).toBeLessThan(200);
  });

  it("leaves images as they are without crop and flip", () => {
    expect(drawOffsets(Int32Array.of(1, 2), { crop: 0, flip: false }, 0, 0)).toEqual(new Int32Array(6));
  });
});
