import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { augmentInBackground, normalisedValues } from "./augment.js";
import { drawErasures, type EraseOptions } from "./erase.js";
import { Loader, type LoaderOptions } from "./loader.js";
import { makeSynthetic } from "./sets/synthetic.js";

const image = { height: 32, width: 24 };
const usual: EraseOptions = { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3], fill: "zero" };
const many = Int32Array.from({ length: 4000 }, (_, i) => i);

/** Splits what was drawn into rectangles, those of images that stay as they are left out. */
function rectangles(drawn: Int32Array) {
  const rows = Array.from({ length: drawn.length / 5 }, (_, b) => drawn.subarray(5 * b, 5 * b + 5));
  return rows
    .map(([top, left, height, width]) => ({ top: top!, left: left!, height: height!, width: width! }))
    .filter(({ height }) => height > 0);
}

describe("drawErasures", () => {
  it("depends on seed, epoch and index alone", () => {
    const together = drawErasures(Int32Array.of(5, 9, 7), usual, image, 3, 2);
    expect(together.subarray(5, 10)).toEqual(drawErasures(Int32Array.of(9), usual, image, 3, 2));
    const drawn = drawErasures(many, usual, image, 3, 2);
    expect(drawn).not.toEqual(drawErasures(many, usual, image, 3, 1));
    expect(drawn).not.toEqual(drawErasures(many, usual, image, 2, 2));
  });

  it("erases as often as it should, within the image, of the areas and aspects that were asked for", () => {
    const found = rectangles(drawErasures(many, usual, image, 0, 0));
    // 2000 are expected, less those few that fit nowhere; the standard deviation is 32.
    expect(found.length).toBeGreaterThan(2000 - 5 * 32);
    expect(found.length).toBeLessThan(2000 + 4 * 32);
    let high = 0;
    for (const { top, left, height, width } of found) {
      expect(top >= 0 && left >= 0 && top + height <= 32 && left + width <= 24).toBe(true);
      // A side is rounded to whole pixels, by half a pixel at most.
      expect((height - 0.5) * (width - 0.5)).toBeLessThanOrEqual(0.33 * 32 * 24);
      expect((height + 0.5) * (width + 0.5)).toBeGreaterThanOrEqual(0.02 * 32 * 24);
      expect((height - 0.5) / (width + 0.5)).toBeLessThanOrEqual(3.3);
      expect((height + 0.5) / (width - 0.5)).toBeGreaterThanOrEqual(0.3);
      high += Number(height > width) + Number(height === width) / 2;
    }
    // As many are high as are wide, but for very wide ones, which fit into no image of 24 columns.
    expect(high / found.length).toBeGreaterThan(0.48);
    expect(high / found.length).toBeLessThan(0.6);
    expect(Math.min(...found.map(({ top }) => top))).toBe(0);
    expect(Math.max(...found.map(({ left, width }) => left + width))).toBe(24);
  });

  it("erases nothing at probability 0, and from every image at 1", () => {
    expect(drawErasures(many, { ...usual, probability: 0 }, image, 0, 0)).toEqual(new Int32Array(20_000));
    const all = drawErasures(many, { ...usual, probability: 1, area: [0.1, 0.2] }, image, 0, 0);
    expect(rectangles(all).length).toBe(4000);
  });

  it("leaves an image as it is where no rectangle fits", () => {
    const whole = { ...usual, probability: 1, area: [1, 1], aspect: [1, 1] } as const;
    expect(drawErasures(Int32Array.of(1), whole, { height: 4, width: 4 }, 0, 0)).toEqual(new Int32Array(5));
  });
});

describe("lyceum::augment", () => {
  const [mean, std] = [
    [0.5, 0.4, 0.3],
    [0.2, 0.25, 0.3],
  ];
  const shape = [2, 3, 5, 4];
  const values = Uint8Array.from({ length: 120 }, (_, i) => (i * 37) % 256);
  const erasedBy = (rows: number[][], noise: boolean) =>
    augmentInBackground(
      {
        images: torch.tensor(values, { shape }),
        indices: torch.tensor([1, 0], { dtype: "int64" }),
        offsets: torch.tensor(new Int32Array(6), { shape: [2, 3] }),
        pad: 0,
        mean,
        std,
      },
      { erasures: torch.tensor(Int32Array.from(rows.flat()), { shape: [rows.length, 5] }), noise },
    );
  const plain = () =>
    erasedBy(
      [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
      ],
      true,
    );
  /** The noise of a seed at a place, a byte, as the operator's comment defines it. */
  const noiseByte = (seed: number, place: number) => {
    let word = (seed + Math.imul(place + 1, 0x9e3779b1)) | 0;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 24;
  };

  it.each([false, true])("overwrites just the rectangle, after normalisation; noise: %s", async (noise) => {
    const rows = [
      [1, 2, 3, 2, -5],
      [0, 0, 5, 1, 77],
    ];
    const table = normalisedValues(mean, std);
    const expected = (await plain()).toTypedArray() as Float32Array;
    rows.forEach(([top, left, height, width, seed], b) => {
      let place = 0;
      for (let y = top!; y < top! + height!; y++)
        for (let x = left!; x < left! + width!; x++)
          for (let c = 0; c < 3; c++)
            expected[((b * 3 + c) * 5 + y) * 4 + x] = noise ? table[256 * c + noiseByte(seed!, place++)]! : 0;
    });
    expect((await erasedBy(rows, noise)).toTypedArray()).toEqual(expected);
  });

  it("makes noise of which every byte is equally likely", () => {
    const counts = new Array<number>(256).fill(0);
    for (let seed = 0; seed < 64; seed++)
      for (let place = 0; place < 1024; place++) counts[noiseByte(seed * 12_345, place)]!++;
    const ratio = counts.reduce((sum, n) => sum + (n - 256) ** 2 / 256, 0) / 255;
    // With 255 degrees of freedom this ratio has a standard deviation of 0.09.
    expect(Math.abs(ratio - 1)).toBeLessThan(0.36);
  });

  it("refuses rectangles that do not lie in the image", async () => {
    const none = [0, 0, 0, 0, 0];
    for (const row of [
      [-1, 0, 1, 1, 0],
      [0, 0, 6, 1, 0],
      [0, 3, 1, 2, 0],
      [2 ** 31 - 1, 0, 2 ** 31 - 1, 1, 0],
      [0, 0, 1, -1, 0],
    ])
      await expect(erasedBy([none, row], false)).rejects.toThrow(/erasures\[1\] must lie in 5 x 4/);
    await expect(erasedBy([none], false)).rejects.toThrow(/erasures must be int32 \[2, 5\]/);
  });
});

describe("a loader that erases", () => {
  const set = makeSynthetic({ classes: 5, size: 8, channels: 3, trainCount: 20, testCount: 5 }).train;
  const erase: EraseOptions = { ...usual, probability: 1, area: [0.1, 0.3], fill: "noise" };
  const load = (changes: Partial<LoaderOptions> = {}) =>
    new Loader(set, {
      mean: [0.5, 0.4, 0.3],
      std: [0.2, 0.25, 0.3],
      batchSize: 8,
      shuffle: true,
      augment: { crop: 2, flip: true, erase },
      ...changes,
    });
  async function collect(loader: Loader, startStep = 0) {
    const seen: Float32Array[] = [];
    for await (const batch of loader.epoch(1, { startStep })) {
      expect(batch.mix).toBeUndefined();
      seen.push(batch.images.toTypedArray() as Float32Array);
      batch.dispose();
    }
    return seen;
  }

  it("changes each image in one rectangle, the same in whatever batch and from whatever step", async () => {
    const erased = await collect(load());
    const whole = await collect(load({ augment: { crop: 2, flip: true } }));
    for (const [step, batch] of erased.entries()) {
      for (let b = 0; b < batch.length / 192; b++) {
        const changed = batch
          .subarray(b * 192, (b + 1) * 192)
          .filter((v, i) => v !== whole[step]![b * 192 + i]);
        expect(changed.length).toBeGreaterThan(0);
        expect(changed.length).toBeLessThanOrEqual(3 * 64 * 0.45);
      }
    }
    expect(await collect(load(), 1)).toEqual(erased.slice(1));
    const together = await collect(load({ batchSize: 20 }));
    expect(together[0]!.subarray(0, 8 * 192)).toEqual(erased[0]);
  });

  it("refuses to make its batches elsewhere than on the CPU, and options that make no sense", () => {
    expect(() => load({ resident: true })).toThrow("made on the CPU, leave `resident` out");
    const wrong = (change: object) =>
      load({ augment: { crop: 0, flip: false, erase: { ...erase, ...change } } });
    expect(() => wrong({ probability: 2 })).toThrow("erase.probability must be a number from 0 to 1, got 2");
    expect(() => wrong({ area: [0.5, 0.1] })).toThrow("erase.area must be two numbers from 0 to 1");
    expect(() => wrong({ aspect: [0, 1] })).toThrow("erase.aspect must be two numbers above 0");
    expect(() => wrong({ fill: "black" })).toThrow("erase.fill must be zero or noise, got black");
  });
});
