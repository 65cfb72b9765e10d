import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type BatchPart, partOf } from "./batch-part.js";
import { temporaryFolder } from "./fixtures/files.js";
import type { ImageSet, StoredImages } from "./image-set.js";
import { loadDataset } from "./load.js";
import { type Batch, Loader, type LoaderOptions } from "./loader.js";
import { makeSynthetic } from "./sets/synthetic.js";
import { writePhotos } from "./stored/testing/photos.js";

describe("partOf", () => {
  it("gives each image of a batch to one process, in order, in parts of alike sizes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(40),
        (size, fewest, more) => {
          const count = size * fewest + more;
          const parts = Array.from({ length: size }, (_, rank) => partOf(count, { rank, size }, fewest));
          parts.forEach(({ start, end, of, least, share }, rank) => {
            expect(start).toBe(parts[rank - 1]?.end ?? 0);
            expect(end - start - least === 0 || end - start - least === 1).toBe(true);
            expect([of, share]).toEqual([count, (end - start) / count]);
          });
          expect(parts.at(-1)!.end).toBe(count);
          expect(Math.min(...parts.map(({ start, end }) => end - start))).toBe(parts[0]!.least);
          expect(parts[0]!.least).toBeGreaterThanOrEqual(fewest);
        },
      ),
    );
  });

  it("gives a batch that is too small to all processes as a whole", () => {
    expect([0, 1, 2].map((rank) => partOf(5, { rank, size: 3 }, 2))).toEqual(
      Array(3).fill({ start: 0, end: 5, of: 5, least: 5, share: 1 / 3 }),
    );
  });
});

const mixing = { mixup: { alpha: 1, probability: 0.4 }, cutmix: { alpha: 1, probability: 0.4 } };
const plain = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], seed: 7, shuffle: true, joinLoneLast: true };

interface Seen {
  indices: number[];
  labels: number[];
  otherLabels: number[];
  weight: number | undefined;
  images: string[];
  part: BatchPart | undefined;
}

/** Reads an epoch into plain data, each image by itself. */
async function collect(loader: Loader, startStep = 0): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const batch of loader.epoch(3, { startStep })) {
    seen.push(read(batch));
    batch.dispose();
  }
  return seen;
}

function read({ images, labels, mix, indices, part }: Batch): Seen {
  expect(images.isContiguous("channelsLast")).toBe(true);
  const values = images.toTypedArray() as Float32Array;
  const length = values.length / indices.length;
  return {
    indices: [...indices],
    labels: labels.tolist() as number[],
    otherLabels: (mix?.otherLabels.tolist() ?? []) as number[],
    weight: mix?.weight.item(),
    images: Array.from(indices, (_, i) => values.slice(i * length, (i + 1) * length).join()),
    part,
  };
}

let stored: StoredImages;
const inMemory = makeSynthetic({ classes: 5, size: 8, channels: 3, trainCount: 43, testCount: 5 }).train;
beforeEach(async () => {
  const folder = await temporaryFolder();
  await writePhotos(folder);
  stored = (await loadDataset({ name: "folder", root: folder, size: 24 })).train as StoredImages;
});

describe("a loader of one of several processes", () => {
  const moved = { crop: 2, flip: true };
  it.each<[string, () => ImageSet | StoredImages, Partial<LoaderOptions>]>([
    ["moved images", () => inMemory, { augment: moved }],
    ["mixed images", () => inMemory, { augment: { ...moved, ...mixing } }],
    ["mixed images on a device", () => inMemory, { augment: { ...moved, ...mixing }, resident: true }],
    [
      "mixed images in files",
      () => stored,
      {
        batchSize: 5,
        augment: { crop: 0, flip: true, resizedCrop: { area: [0.3, 1], aspect: [0.75, 4 / 3] }, ...mixing },
      },
    ],
  ])("gives its part of each batch of one process, to the bit: %s", async (_, set, options) => {
    const load = (more: Partial<LoaderOptions> = {}) =>
      new Loader(set(), { ...plain, batchSize: 16, ...options, ...more });
    using alone = load();
    const whole = await collect(alone);
    for (const size of [2, 3]) {
      const parts = await Promise.all(
        Array.from({ length: size }, async (_, rank) => {
          using loader = load({ ranks: { rank, size } });
          const epoch = await collect(loader);
          expect(await collect(loader, 2)).toEqual(epoch.slice(2));
          return epoch;
        }),
      );
      for (const each of parts) expect(each.length).toBe(whole.length);
      whole.forEach((batch, step) => {
        for (const { [step]: given } of parts) {
          const { start, of } = given!.part!;
          expect(of).toBe(batch.indices.length);
          expect(given!.weight).toBe(batch.weight);
          for (const key of ["indices", "labels", "otherLabels", "images"] as const)
            expect(given![key]).toEqual(batch[key].slice(start, start + given![key].length));
        }
        const shares = parts.reduce((sum, { [step]: given }) => sum + given!.part!.share, 0);
        expect(shares).toBeCloseTo(1, 12);
      });
    }
  });

  it("gives whole batches in turns, for evaluation", async () => {
    using loader = new Loader(inMemory, { ...plain, batchSize: 8 });
    const whole = await collect(loader);
    for (const startStep of [0, 1, 2]) {
      const given: Seen[] = [];
      for await (const batch of loader.epoch(3, { startStep, every: 3 })) {
        given.push(read(batch));
        batch.dispose();
      }
      expect(given).toEqual(whole.filter((_, step) => step % 3 === startStep));
    }
  });
});
