import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { cifarImageBytes } from "./cifar-records.js";
import { type DatasetDefinition, defineDataset, type FileSource } from "./define.js";
import { idxFile, temporaryFolder } from "./fixtures/files.js";
import type { Dataset } from "./image-set.js";
import { loadDataset } from "./load.js";
import { findDataset } from "./places.js";
import { cifarSet } from "./sets/cifar-set.js";
import { idxSet } from "./sets/idx-set.js";
import { makeSynthetic } from "./sets/synthetic.js";
import { verifyDataset } from "./verify.js";

const md5 = "0".repeat(32);
const download = { baseUrl: "http://127.0.0.1:1/", files: [] };

/** Two sets that are as small as can be. */
const tinyIdx = idxSet({
  name: "tiny",
  summary: "two images to train, one to test",
  classNames: ["zero", "one"],
  augment: { crop: true, flip: true },
  trainCount: 2,
  testCount: 1,
  size: 2,
  md5: [md5, md5, md5, md5],
  package: "dataset-tiny",
  download,
});
const tinyCifar = cifarSet({
  name: "tiny-cifar",
  summary: "two files of one image, one to test",
  levels: [
    { names: ["sea", "land"], file: "coarse.txt" },
    { names: ["fish", "whale", "ox"], file: "fine.txt" },
  ],
  trainFiles: [
    { name: "one.bin", count: 1, md5 },
    { name: "two.bin", count: 1, md5 },
  ],
  testFile: { name: "test.bin", count: 1, md5 },
  folder: "tiny",
  baseUrl: download.baseUrl,
  archive: { name: "tiny.tar.gz", bytes: 1, md5 },
});

const files = ({ from }: DatasetDefinition) => from as FileSource;

/** Reads one of the tiny sets. */
async function read(source: DatasetDefinition, root: string, labels: "fine" | "coarse" = "fine") {
  const { layout, read } = files(source);
  const found = await findDataset(source.name, layout, { ...files(source), root });
  return read(found, { name: source.name, labels }, { test: true });
}

describe("a set in IDX files", () => {
  it("is read from plain and .gz files", async () => {
    const root = await temporaryFolder();
    const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    await writeFile(join(root, "train-images-idx3-ubyte.gz"), gzipSync(idxFile([2, 2, 2], pixels)));
    await writeFile(join(root, "train-labels-idx1-ubyte"), idxFile([2], Uint8Array.of(1, 0)));
    await writeFile(join(root, "t10k-images-idx3-ubyte"), idxFile([1, 2, 2], pixels.subarray(4)));
    await writeFile(join(root, "t10k-labels-idx1-ubyte.gz"), gzipSync(idxFile([1], Uint8Array.of(1))));
    const { train, test, classNames } = await read(tinyIdx, root);
    expect(train).toMatchObject({ count: 2, channels: 1, height: 2, width: 2, name: "tiny train" });
    expect([...train.images]).toEqual([...pixels]);
    expect(train.labels).toEqual(Int32Array.of(1, 0));
    expect([[...test.images], [...test.labels], classNames]).toEqual([[5, 6, 7, 8], [1], ["zero", "one"]]);
    await writeFile(join(root, "t10k-labels-idx1-ubyte.gz"), gzipSync(idxFile([1], Uint8Array.of(2))));
    await expect(read(tinyIdx, root)).rejects.toThrow(
      "t10k-labels-idx1-ubyte.gz, byte 8: label 2, expected 0..1. Get the file again: npx lyceum data fetch tiny",
    );
  });
});

describe("a set in CIFAR's layout", () => {
  it("is put together from its files, with fine or coarse labels and the names beside it", async () => {
    const root = await temporaryFolder();
    const folder = join(root, "tiny");
    await mkdir(folder);
    const record = (coarse: number, fine: number, value: number) =>
      Buffer.concat([Buffer.of(coarse, fine), Buffer.alloc(cifarImageBytes, value)]);
    await writeFile(join(folder, "one.bin"), record(0, 1, 11));
    await writeFile(join(folder, "two.bin"), record(1, 2, 22));
    await writeFile(join(folder, "test.bin"), record(0, 0, 33));
    const fine = await read(tinyCifar, root);
    expect(fine.train).toMatchObject({ count: 2, channels: 3, height: 32, width: 32 });
    expect([fine.train.images[0], fine.train.images[cifarImageBytes], fine.test.images[5]]).toEqual([
      11, 22, 33,
    ]);
    expect([[...fine.train.labels], [...fine.test.labels]]).toEqual([[1, 2], [0]]);
    expect(fine.classNames).toEqual(["fish", "whale", "ox"]);
    expect(fine.superclasses).toEqual(Int32Array.of(0, 0, 1));
    const coarse = await read(tinyCifar, root, "coarse");
    expect([[...coarse.train.labels], coarse.classNames]).toEqual([
      [0, 1],
      ["sea", "land"],
    ]);
    expect(coarse).not.toHaveProperty("superclasses");
    await writeFile(join(folder, "test.bin"), record(1, 1, 33));
    await expect(read(tinyCifar, root)).rejects.toThrow(
      "test.bin: image 0 of class 1 has the superclass 1, others of its class have 0. Get the set again",
    );
    await writeFile(join(folder, "test.bin"), record(0, 0, 33));
    await writeFile(join(folder, "fine.txt"), "herring\r\norca\nyak\n\n");
    expect((await read(tinyCifar, root)).test.classNames).toEqual(["herring", "orca", "yak"]);
    await writeFile(join(folder, "fine.txt"), "herring\n");
    await expect(read(tinyCifar, root)).rejects.toThrow("fine.txt: has 1 class names, expected 3");
  });
});

describe("loadDataset", () => {
  it("says where it looked, what is missing, and how to get the set", async () => {
    const home = await temporaryFolder();
    const before = process.env.LYCEUM_DATA;
    process.env.LYCEUM_DATA = home;
    onTestFinished(() => {
      if (before === undefined) delete process.env.LYCEUM_DATA;
      else process.env.LYCEUM_DATA = before;
    });
    await mkdir(join(home, "tiny"));
    await writeFile(join(home, "tiny", "t10k-labels-idx1-ubyte"), "");
    const { layout, systemFolders } = files(tinyIdx);
    const error = await findDataset("tiny", layout, {
      package: "dataset-tiny",
      systemFolders: systemFolders ?? ["/no"],
    }).catch((reason: Error) => reason.message);
    expect(error).toContain(
      `${home}/tiny lacks train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte\n`,
    );
    expect(error).toMatch(/\.cache\/lyceum\/tiny does not exist\n {2}\/no does not exist\n/);
    expect(error).toContain("To get it: npx lyceum data fetch tiny, or apt install dataset-tiny");
    await expect(loadDataset({ name: "cifar10", root: join(home, "x") })).rejects.toThrow(
      `${home}/x does not exist\nTo get it: npx lyceum data fetch cifar10 --root ${home}/x`,
    );
  });

  it("refuses unknown names and labels that a set does not have", async () => {
    await expect(loadDataset({ name: "imagenet21k" })).rejects.toThrow(
      /known are fashion-mnist, mnist, cifar10/,
    );
    await expect(loadDataset({ name: "mnist", labels: "coarse" })).rejects.toThrow(
      'mnist has no option "labels": it has none of its own',
    );
    await expect(loadDataset({ name: "cifar100", size: 40 })).rejects.toThrow(
      'cifar100 has no option "size": it has labels',
    );
    await expect(loadDataset({ name: "cifar100", labels: "middle" })).rejects.toThrow(/cifar100: labels: /);
    await expect(loadDataset({ name: "synthetic", size: 7 })).rejects.toThrow(/synthetic: size: .*8/);
    await expect(verifyDataset("synthetic")).rejects.toThrow("there is nothing to verify");
  });

  it("takes a stratified part of a set, the same for the same seed", async () => {
    const spec = { name: "synthetic", classes: 5, size: 8, trainCount: 100, testCount: 20 };
    const load = async (more: object = {}) => (await loadDataset({ ...spec, ...more })) as Dataset;
    const whole = await load();
    const part = await load({ limit: { train: 25, test: 1000 }, seed: 0 });
    expect(part.train.count).toBe(25);
    expect(part.test.images).toEqual(whole.test.images);
    for (let c = 0; c < 5; c++) expect(part.train.labels.filter((label) => label === c).length).toBe(5);
    const bytes = 3 * 8 * 8;
    const image = (set: typeof part.train, i: number) =>
      set.images.subarray(i * bytes, (i + 1) * bytes).join();
    const known = new Map(
      Array.from({ length: 100 }, (_, i) => [image(whole.train, i), whole.train.labels[i]]),
    );
    for (let i = 0; i < 25; i++) expect(known.get(image(part.train, i))).toBe(part.train.labels[i]);
    expect((await load({ limit: { train: 25 } })).train.images).toEqual(part.train.images);
  });
});

it("loads a set of the caller's own, its options checked and filled in", async () => {
  const asked: unknown[] = [];
  const { train } = makeSynthetic({ size: 8, trainCount: 10, testCount: 2 });
  const definition = defineDataset({
    name: "mine",
    summary: "a set for this test",
    options: (z) => ({ colour: z.string().default("grey"), part: z.int().max(3).exactOptional() }),
    augment: { crop: false, flip: false },
    from: {
      make(spec) {
        asked.push(spec);
        return { name: "mine", train, test: train, classNames: train.classNames };
      },
    },
  });
  const mine = await loadDataset({ name: "mine", part: 2, limit: { test: 5 } }, { definition });
  expect(asked).toEqual([{ name: "mine", colour: "grey", part: 2, limit: { test: 5 } }]);
  expect([mine.train.count, mine.test.count]).toEqual([10, 5]);
  await expect(loadDataset({ name: "mine", part: 4 }, { definition })).rejects.toThrow(/mine: part: /);
});

const installed = "/usr/share/datasets/fashion-mnist";
const there = existsSync(installed);

// The real set is read too where `setup` installed it.
describe.runIf(there)(`Fashion-MNIST${there ? "" : ` (skipped: ${installed} is not there)`}`, () => {
  it("is read whole, and is the official one to the bit", async () => {
    const { train, test } = await loadDataset({ name: "fashion-mnist", root: installed });
    expect([train.count, test.count, train.height, train.width]).toEqual([60_000, 10_000, 28, 28]);
    for (let c = 0; c < 10; c++) {
      expect(train.labels.reduce((n, label) => n + (label === c ? 1 : 0), 0)).toBe(6000);
      expect(test.labels.reduce((n, label) => n + (label === c ? 1 : 0), 0)).toBe(1000);
    }
    expect(train.classNames[train.labels[0]!]).toBe("Ankle boot");
    const report = await verifyDataset("fashion-mnist", { root: installed });
    expect(report.files.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect([report.ok, report.place]).toEqual([true, installed]);
  });
});
