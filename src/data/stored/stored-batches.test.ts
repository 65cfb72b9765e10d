import { renameSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { settled } from "../../torch/testing/settled.js";
import { bytesOf } from "../bytes-of.js";
import { temporaryFolder } from "../fixtures/files.js";
import type { StoredImages } from "../image-set.js";
import { loadDataset } from "../load.js";
import { Loader } from "../loader.js";
import { photo, writePhotos } from "./testing/photos.js";

let folder: string;
const common = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], batchSize: 4 };
const augment = {
  crop: 0,
  flip: true,
  resizedCrop: { area: [0.3, 1], aspect: [0.75, 4 / 3] },
} as const;

beforeEach(async () => {
  folder = await temporaryFolder();
  await writePhotos(folder);
});

const open = async () =>
  (await loadDataset({ name: "folder", root: folder, size: 24 })).train as StoredImages;

/** All images of an epoch by their indices. */
async function imagesOf(loader: Loader, epoch: number, startStep = 0): Promise<Map<number, string>> {
  const images = new Map<number, string>();
  for await (const batch of loader.epoch(epoch, { startStep })) {
    const values = batch.images.toTypedArray() as Float32Array;
    const length = values.length / batch.indices.length;
    batch.indices.forEach((index, i) => {
      images.set(index, values.slice(i * length, (i + 1) * length).join());
    });
    batch.dispose();
  }
  return images;
}

it("gives the middle of each image, normalised, in evaluation", async () => {
  const set = await open();
  using loader = new Loader(set, common);
  for await (const batch of loader.epoch(0)) {
    expect(batch.images.shape).toEqual([batch.indices.length, 3, 24, 24]);
    expect([...(batch.labels.toTypedArray() as BigInt64Array)].map(Number)).toEqual(
      Array.from(batch.indices, (i) => set.labels[i]),
    );
    const first = await bytesOf(set, batch.indices[0]!);
    const value = batch.images.select(0, 0).select(0, 1).select(0, 5).select(0, 7).item();
    expect(value).toBeCloseTo((first[24 * 24 + 5 * 24 + 7]! / 255 - 0.456) / 0.224, 5);
    batch.dispose();
  }
});

it("draws for an image what (seed, epoch, image) decide, whatever the batches are", async () => {
  const set = await open();
  const train = { ...common, augment, shuffle: true, seed: 7 };
  using loader = new Loader(set, train);
  const whole = await imagesOf(loader, 3);
  expect(whole.size).toBe(set.count);
  expect(await imagesOf(loader, 3)).toEqual(whole);
  using larger = new Loader(set, { ...train, batchSize: 5, joinLoneLast: true });
  expect(await imagesOf(larger, 3)).toEqual(whole);
  for (const [index, image] of await imagesOf(loader, 3, 2)) expect(image).toBe(whole.get(index));
  const other = await imagesOf(loader, 4);
  expect([...other].filter(([index, image]) => whole.get(index) === image).length).toBeLessThan(3);
  const before = torch.getNumThreads();
  try {
    torch.setNumThreads(before === 1 ? 2 : 1);
    expect(await imagesOf(loader, 3)).toEqual(whole);
  } finally {
    torch.setNumThreads(before);
  }
});

it("frees everything, whether an epoch ends or is left", async () => {
  const set = await open();
  using loader = new Loader(set, { ...common, batchSize: 2, augment });
  await imagesOf(loader, 0);
  const before = settled().tensors;
  await imagesOf(loader, 1);
  for await (const batch of loader.epoch(2)) {
    batch.dispose();
    break;
  }
  // What is being decoded when an epoch is left is freed as soon as it is done.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(settled().tensors).toBe(before);
});

it("takes PNG and WebP beside JPEG, by their content", async () => {
  writeFileSync(join(folder, "train/steep/6.png"), await photo(1, { format: "png" }));
  writeFileSync(join(folder, "train/steep/7.jpg"), await photo(1, { format: "webp" }));
  const set = await open();
  using loader = new Loader(set, common);
  expect((await imagesOf(loader, 0)).size).toBe(14);
});

it.each([
  ["is cut short", (file: string) => truncateSync(file, 700)],
  ["was changed since it was listed", (file: string) => utimesSync(file, 1, 1)],
  ["cannot be read: no such file", (file: string) => renameSync(file, `${file}.gone`)],
  ["is no image of a known format", (file: string) => writeFileSync(file, "no image at all")],
])("stops at an image that %s, by its name", async (problem, harm) => {
  const file = join(folder, "train/steep/3.jpg");
  if (problem.startsWith("is ")) harm(file);
  const set = await open();
  if (!problem.startsWith("is ")) harm(file);
  using loader = new Loader(set, common);
  const failure = await imagesOf(loader, 0).catch((error: Error) => error);
  expect(failure).toMatchObject({ name: "DataError" });
  const { message } = failure as Error;
  expect(message).toContain(`${file}: ${problem}`);
  expect(message).toContain(problem.startsWith("was changed") ? "Run again" : "data.damaged: skip");
});
