import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import type { AugmentOptions } from "./augment.js";
import { type Batch, Loader, type LoaderOptions } from "./loader.js";
import { drawMix } from "./mix.js";
import { makeSynthetic } from "./sets/synthetic.js";

const [height, width] = [8, 6];
const image = { height, width };
const always = (alpha: number) => ({ alpha, probability: 1 });
const both = { mixup: { alpha: 1, probability: 0.3 }, cutmix: { alpha: 1, probability: 0.5 } };

describe("drawMix", () => {
  it("depends on seed, epoch and step alone, and gives a permutation and a weight", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(), fc.nat(), fc.nat(), (size, seed, epoch, step) => {
        const drawn = drawMix(size, both, image, seed, epoch, step);
        expect(drawMix(size, both, image, seed, epoch, step)).toEqual(drawn);
        expect([...drawn.partners].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(drawn.weight).toBe(Math.fround(drawn.weight));
        expect(drawn.weight >= 0 && drawn.weight <= 1).toBe(true);
      }),
    );
    const steps = Array.from({ length: 50 }, (_, step) => drawMix(8, both, image, 1, 0, step));
    const others = Array.from({ length: 50 }, (_, step) => drawMix(8, both, image, 1, 1, step));
    expect(new Set([...steps, ...others].map(({ partners }) => partners.join())).size).toBeGreaterThan(70);
  });

  it("draws each way as often as it should", () => {
    const count = 4000;
    const drawn = Array.from({ length: count }, (_, step) => drawMix(2, both, image, 0, 0, step));
    const cut = drawn.filter(({ box }) => box).length;
    const plain = drawn.filter(({ box, weight }) => !box && weight === 1).length;
    // The standard deviations are 32 and 25.
    expect(Math.abs(cut - 0.5 * count)).toBeLessThan(4 * 32);
    expect(Math.abs(plain - 0.2 * count)).toBeLessThan(4 * 25);
  });

  it("weighs images by the pixels that CutMix's rectangle leaves them, and moves it everywhere", () => {
    const covered = new Int32Array(height * width);
    for (let step = 0; step < 2000; step++) {
      const { weight, box } = drawMix(2, { cutmix: always(1) }, image, 0, 0, step);
      const { top, left, height: tall, width: wide } = box!;
      expect(top >= 0 && tall >= 0 && top + tall <= height).toBe(true);
      expect(left >= 0 && wide >= 0 && left + wide <= width).toBe(true);
      expect(weight).toBe(Math.fround(1 - (tall * wide) / (height * width)));
      for (let y = top; y < top + tall; y++)
        for (let x = left; x < left + wide; x++) covered[y * width + x]!++;
    }
    // A corner is covered least, since centres of rectangles lie in the image only.
    expect(Math.min(...covered)).toBeGreaterThan(100);
    expect(Math.max(...covered)).toBeLessThan(1200);
  });

  it("has rectangles of the area drawn, where no edge cuts them", () => {
    const wide = { height: 4000, width: 4000 };
    // Beta(1000, 1000) draws shares close to a half, so that the rectangle's sides are 0.707 of the image's.
    const boxes = Array.from({ length: 200 }, (_, step) =>
      drawMix(1, { cutmix: always(1000) }, wide, 0, 0, step),
    );
    const uncut = boxes.map(({ box }) => box!).filter(({ top, height }) => top > 0 && top + height < 4000);
    expect(uncut.length).toBeGreaterThan(20);
    for (const { height } of uncut) expect(Math.abs(height / 4000 - Math.SQRT1_2)).toBeLessThan(0.04);
  });
});

const set = makeSynthetic({ classes: 5, size: 8, channels: 3, trainCount: 60, testCount: 10 }).train;
const plain = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], batchSize: 16, shuffle: true, seed: 7 };
const load = (mixing: Partial<AugmentOptions>, options: Partial<LoaderOptions> = {}) =>
  new Loader(set, { ...plain, augment: { crop: 2, flip: true, ...mixing }, ...options });

/** Reads an epoch into plain data. */
async function collect(batches: AsyncIterable<Batch>) {
  const seen: { images: number[]; labels: number[]; otherLabels: number[]; weight: number }[] = [];
  for await (const { images, labels, mix, dispose } of batches) {
    expect(images.isContiguous("channelsLast")).toBe(true);
    seen.push({
      images: [...(images.toTypedArray() as Float32Array)],
      labels: labels.tolist() as number[],
      otherLabels: (mix?.otherLabels.tolist() ?? []) as number[],
      weight: mix?.weight.item() ?? Number.NaN,
    });
    dispose();
  }
  return seen;
}

describe("a loader that mixes", () => {
  it.each([
    ["Mixup", { mixup: always(1) }],
    ["CutMix", { cutmix: always(1) }],
    ["both", both],
  ])(
    "gives the weighted means, or rectangles, of the images that it gave before, with both labels: %s",
    async (_, mixing) => {
      const [before, mixed] = [await collect(load({}).epoch(2)), await collect(load(mixing).epoch(2))];
      expect(mixed.length).toBe(4);
      mixed.forEach((batch, step) => {
        const { images, labels } = before[step]!;
        const size = labels.length;
        const { weight, partners, box } = drawMix(size, mixing, { height: 8, width: 8 }, 7, 2, step);
        expect(batch.labels).toEqual(labels);
        expect(batch.otherLabels).toEqual([...partners].map((partner) => labels[partner]));
        expect(batch.weight).toBe(weight);
        batch.images.forEach((value, at) => {
          const [b, x, y] = [Math.floor(at / 192), at % 8, Math.floor(at / 8) % 8];
          const own = images[at]!;
          const other = images[at + 192 * (partners[b]! - b)]!;
          if (box) {
            const inside =
              y >= box.top && y < box.top + box.height && x >= box.left && x < box.left + box.width;
            expect(value).toBe(inside ? other : own);
          } else {
            const { fround } = Math;
            expect(value).toBe(fround(fround(own * weight) + fround(other * fround(1 - weight))));
          }
        });
      });
    },
  );

  it("repeats an epoch to the bit with any number of threads, from any step, and wherever the set lies", async () => {
    const threads = torch.getNumThreads();
    try {
      const whole = await collect(load(both).epoch(4));
      torch.setNumThreads(threads + 1);
      expect(await collect(load(both).epoch(4))).toEqual(whole);
      expect(await collect(load(both, { resident: true }).epoch(4))).toEqual(whole);
      for (const startStep of [1, 3, 4])
        expect(await collect(load(both).epoch(4, { startStep }))).toEqual(whole.slice(startStep));
      expect(await collect(load(both).epoch(5))).not.toEqual(whole);
    } finally {
      torch.setNumThreads(threads);
    }
  });

  it.each([false, true])(
    "leaks nothing, at the end or after a break, erasing and by a policy too where it may; resident: %s",
    async (resident) => {
      const erase = { probability: 1, area: [0.1, 0.2], aspect: [1, 1], fill: "zero" } as const;
      const more = resident ? {} : { erase, policy: { name: "randaugment" } };
      const loader = load({ ...both, ...more }, { resident });
      for await (const batch of loader.epoch(0)) batch.dispose();
      const before = settled().tensors;
      for await (const batch of loader.epoch(1)) batch.dispose();
      for await (const batch of loader.epoch(2)) {
        batch.dispose();
        break;
      }
      expect(torch.memoryStats().tensors).toBe(before);
    },
  );

  it("mixes a batch of one with itself, and goes through sets of no images", async () => {
    const [one] = await collect(load({ mixup: always(1) }, { indices: Int32Array.of(3) }).epoch(0));
    expect(one!.otherLabels).toEqual(one!.labels);
    expect(await collect(load(both, { indices: new Int32Array(0) }).epoch(0))).toEqual([]);
  });

  it.each([
    [{ mixup: { alpha: 0, probability: 1 } }, "mixup.alpha must be a number above 0, got 0"],
    [{ cutmix: { alpha: Number.NaN, probability: 1 } }, "cutmix.alpha must be a number above 0, got NaN"],
    [{ cutmix: { alpha: 1, probability: 2 } }, "cutmix.probability must be a number from 0 to 1, got 2"],
    [{ mixup: always(1), cutmix: always(1) }, "must sum to 1 at most, since a batch is mixed once, got 2"],
  ])("refuses %j", (mixing, message) => {
    expect(() => load(mixing)).toThrow(message);
  });
});
