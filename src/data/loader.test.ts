import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import * as torch from "../torch/index.js";
import { native } from "../torch/native.js";
import { settled } from "../torch/testing/settled.js";
import { type ImageSet, subset } from "./image-set.js";
import { type Batch, Loader, type LoaderOptions } from "./loader.js";
import { makeSynthetic } from "./sets/synthetic.js";

const set = makeSynthetic({ classes: 5, size: 8, channels: 3, trainCount: 60, testCount: 10 }).train;
const plain = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
const augmented = { ...plain, shuffle: true, augment: { crop: 2, flip: true } };

/** Reads an epoch into plain data. */
async function collect(batches: AsyncIterable<Batch>) {
  const seen: {
    step: number;
    indices: number[];
    labels: number[];
    images: number[];
    shape: readonly number[];
  }[] = [];
  for await (const batch of batches) {
    const { step, images, labels } = batch;
    expect(images.isContiguous("channelsLast")).toBe(true);
    expect([images.dtype, labels.dtype]).toEqual(["float32", "int64"]);
    seen.push({
      step,
      indices: [...batch.indices],
      labels: labels.tolist() as number[],
      images: [...(images.toTypedArray() as Float32Array)],
      shape: images.shape,
    });
    batch.dispose();
  }
  return seen;
}

const load = (options: Partial<LoaderOptions>) => new Loader(set, { batchSize: 16, ...plain, ...options });

describe("Loader", () => {
  it("gives every image once an epoch, in batches of the right size, with its label", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70 }),
        fc.uniqueArray(fc.nat(59), { maxLength: 60 }),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        async (batchSize, chosen, shuffle, dropLast, resident) => {
          const loader = load({ batchSize, indices: Int32Array.from(chosen), shuffle, dropLast, resident });
          const batches = await collect(loader.epoch(3));
          loader.dispose();
          const given = batches.flatMap(({ indices }) => indices);
          expect(given.length).toBe(loader.size);
          expect(batches.length).toBe(loader.stepsPerEpoch);
          expect(new Set(given).size).toBe(given.length);
          if (!dropLast) expect([...given].sort((a, b) => a - b)).toEqual([...chosen].sort((a, b) => a - b));
          else expect(chosen.length - given.length).toBeLessThan(batchSize);
          if (!shuffle) expect(given).toEqual(chosen.slice(0, loader.size));
          batches.forEach(({ step, indices, labels, shape }, i) => {
            expect(step).toBe(i);
            expect(shape).toEqual([indices.length, 3, 8, 8]);
            expect(labels).toEqual(indices.map((index) => set.labels[index]));
            if (i < batches.length - 1) expect(indices.length).toBe(batchSize);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it("joins a lone last image to the batch before it, and gives every image once all the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 60 }),
        fc.boolean(),
        fc.nat(12),
        async (batchSize, count, resident, resumed) => {
          const indices = Int32Array.from({ length: count }, (_, i) => 59 - i);
          const loader = load({ ...augmented, batchSize, indices, resident, joinLoneLast: true });
          const batches = await collect(loader.epoch(1));
          expect(batches.length).toBe(loader.stepsPerEpoch);
          const sizes = batches.map((batch) => batch.indices.length);
          expect(sizes.every((size) => size <= batchSize + 1)).toBe(true);
          if (batchSize > 1 && count !== 1) expect(sizes).not.toContain(1);
          const given = batches.flatMap((batch) => batch.indices);
          expect([...given].sort((a, b) => b - a)).toEqual([...indices]);
          const startStep = Math.min(resumed, loader.stepsPerEpoch);
          expect(await collect(loader.epoch(1, { startStep }))).toEqual(batches.slice(startStep));
          loader.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [641, { batchSize: 64 }, [...Array(10).fill(64), 1]],
    [641, { batchSize: 64, joinLoneLast: true }, [...Array(9).fill(64), 65]],
    [642, { batchSize: 64, joinLoneLast: true }, [...Array(10).fill(64), 2]],
    [640, { batchSize: 64, joinLoneLast: true }, Array(10).fill(64)],
    [641, { batchSize: 64, joinLoneLast: true, dropLast: true }, Array(10).fill(64)],
    [2, { batchSize: 1, joinLoneLast: true }, [1, 1]],
    [1, { batchSize: 64, joinLoneLast: true }, [1]],
    [3, { batchSize: 2, joinLoneLast: true }, [3]],
    [0, { batchSize: 2, joinLoneLast: true }, []],
  ])("%i images with %j fall into batches of %j", async (count, options, sizes) => {
    const one = { ...set, images: set.images.slice(0, 192), count: 1, labels: Int32Array.of(0) };
    const loader = new Loader(one, { ...plain, ...options, indices: new Int32Array(count) });
    const given: number[] = [];
    for await (const batch of loader.epoch(0)) {
      given.push(batch.indices.length);
      expect(batch.images.shape[0]).toBe(batch.indices.length);
      batch.dispose();
    }
    expect(given).toEqual(sizes);
    expect(loader.stepsPerEpoch).toBe(sizes.length);
  });

  it("normalises and, without augmentation, changes nothing else", async () => {
    const [batch] = await collect(load({ batchSize: 60 }).epoch(0));
    batch!.images.forEach((value, i) => {
      const channel = Math.floor(i / 64) % 3;
      const [mean, std] = [plain.mean[channel]!, plain.std[channel]!];
      const expected = (set.images[i]! / 255 - mean) / std;
      // Mean, deviation, quotient, difference and result are each rounded to float32, half of 2^-23 at most.
      expect(Math.abs(value - expected)).toBeLessThan((5 * 2 ** -24 * (1 + mean)) / std);
    });
  });

  it("repeats an epoch to the bit, whatever came before, and makes each one different", async () => {
    const first = await collect(load({ ...augmented, seed: 7 }).epoch(2));
    const again = load({ ...augmented, seed: 7 });
    await collect(again.epoch(0));
    expect(await collect(again.epoch(2))).toEqual(first);
    expect((await collect(again.epoch(3)))[0]!.indices).not.toEqual(first[0]!.indices);
    expect((await collect(load({ ...augmented, seed: 8 }).epoch(2)))[0]!.indices).not.toEqual(
      first[0]!.indices,
    );
  });

  it("makes the same bits of a set that lies on the device as on the CPU in the background", async () => {
    for (const options of [{}, augmented, { ...augmented, indices: Int32Array.of(7, 3, 59), batchSize: 2 }]) {
      for (const epoch of [0, 1]) {
        const [here, there] = await Promise.all(
          [false, true].map((resident) => collect(load({ ...options, resident }).epoch(epoch))),
        );
        expect(there).toEqual(here);
      }
    }
  });

  it("of a set that lies on the device brings an epoch's draws over at once, and nothing with a batch", async () => {
    const loader = load({ ...augmented, resident: true });
    const brought = vi.spyOn(native, "fromBytes");
    const epoch = loader.epoch(0);
    await epoch.next();
    // The order and the offsets are copied.
    expect(brought).toHaveBeenCalledTimes(2);
    for await (const batch of epoch) batch.dispose();
    expect(brought).toHaveBeenCalledTimes(2);
    brought.mockRestore();
  });

  it("crops an image alike in whatever batch it comes", async () => {
    const images = async (batchSize: number) => {
      const batches = await collect(load({ ...augmented, batchSize }).epoch(1));
      const entries = batches.flatMap(({ indices, images }) =>
        indices.map((index, b) => [index, images.slice(b * 192, (b + 1) * 192)] as const),
      );
      return new Map(entries);
    };
    const [small, large] = [await images(7), await images(60)];
    for (const [index, image] of small) expect(large.get(index)).toEqual(image);
  });

  it("goes on in the middle of an epoch", async () => {
    const whole = await collect(load(augmented).epoch(4));
    for (let startStep = 0; startStep <= whole.length; startStep++) {
      expect(await collect(load(augmented).epoch(4, { startStep }))).toEqual(whole.slice(startStep));
    }
    await expect(load({}).epoch(0, { startStep: 5 }).next()).rejects.toThrow(
      "startStep must be an integer in 0..4",
    );
  });

  it.each([false, true])(
    "leaks nothing, at the end, after a break, or on failure; resident: %s",
    async (resident) => {
      const loader = load({ ...augmented, resident });
      for await (const batch of loader.epoch(0)) batch.dispose();
      const before = settled().tensors;
      for (let epoch = 0; epoch < 3; epoch++) {
        for await (const batch of loader.epoch(epoch)) batch.dispose();
        for await (const batch of loader.epoch(epoch)) {
          batch.dispose();
          if (batch.step === 1) break;
        }
        await loader.epoch(epoch).return();
      }
      expect(torch.memoryStats().tensors).toBe(before);
      const failing = load({ ...augmented, resident });
      const epoch = failing.epoch(0);
      const { value } = await epoch.next();
      failing.dispose();
      (value as Batch).dispose();
      // Batch 1 was prefetched already; batch 2 is asked for when the images are gone.
      ((await epoch.next()).value as Batch).dispose();
      await expect(epoch.next()).rejects.toThrow(/disposed/);
      expect(torch.memoryStats().tensors).toBe(before);
    },
  );

  it.each([false, true])("makes tensors that outlive any scope that happens to be open", async (resident) => {
    const loader = torch.scope(() => load({ ...augmented, resident }));
    const epoch = loader.epoch(0);
    const promised = torch.scope(() => ({ first: epoch.next() })).first;
    const { value } = await promised;
    expect((value as Batch).images.sum().item()).not.toBeNaN();
    expect((value as Batch).labels.disposed).toBe(false);
    await epoch.return();
  });

  it("takes images on any buffer, and goes through sets of no images", async () => {
    const copied: ImageSet = { ...set, images: Uint8Array.from(set.images) };
    const given = await collect(new Loader(copied, { batchSize: 16, ...augmented }).epoch(1));
    expect(given).toEqual(await collect(load(augmented).epoch(1)));
    const none = new Loader(subset(set, new Int32Array(0)), { batchSize: 4, ...plain });
    expect([none.size, none.stepsPerEpoch, await collect(none.epoch(0))]).toEqual([0, 0, []]);
  });

  it.each([
    [{ batchSize: 0 }, "batchSize must be 1 or more, got 0"],
    [{ indices: Int32Array.of(3, 60) }, "indices must be in 0..59, got 60"],
    [{ augment: { crop: 8, flip: false } }, "crop must be in 0..7, got 8"],
    [{ mean: [0.5] }, "mean must be 3 numbers, got [0.5]"],
    [{ std: [0.1, 0, 0.1] }, "std must be 3 numbers above 0, got [0.1,0,0.1]"],
  ])("refuses %j", (options, message) => {
    expect(() => load(options)).toThrow(message);
  });
});
