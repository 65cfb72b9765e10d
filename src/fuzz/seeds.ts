/** Small sound files for the readers, made in code. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { photo } from "../data/stored/testing/photos.js";
import { sharp, tarStream } from "../packages.js";
import { resolveRecipe } from "../recipe/index.js";
import { describeEnvironment, type LiveProgress, RunFolder, writeWeights } from "../runs/index.js";
import { beginStudy } from "../study/run-study.js";
import { saveScores } from "../study/scores.js";
import { tinyStudy } from "../study/testing/tiny-study.js";
import * as torch from "../torch/index.js";
import { writeTransfer } from "../transfer/transfer-file.js";
import type { Files } from "./reader.js";

/** Runs `write` in a new folder, and gives the files that it has written. */
export async function written(write: (folder: string) => unknown): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-seed-"));
  try {
    await write(folder);
    return filesIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files in a folder, and in those in it. */
export function filesIn(folder: string): Files {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  const files = paths.filter((path) => statSync(path).isFile()).sort();
  return Object.fromEntries(files.map((path) => [relative(folder, path), readFileSync(path)]));
}

/** A tar archive of some members. */
export async function tar(members: Readonly<Record<string, Uint8Array | string>>): Promise<Buffer> {
  const pack = tarStream().pack();
  for (const [name, bytes] of Object.entries(members)) pack.entry({ name }, Buffer.from(bytes));
  pack.finalize();
  return await buffer(pack);
}

const counting = (length: number, below = 256) => Uint8Array.from({ length }, (_, i) => (37 * i) % below);

/** An IDX file's header begins with its type and its number of dimensions; sizes take four bytes each. */
const idx = (sizes: number[], bytes: Uint8Array) =>
  Buffer.concat([Buffer.of(0, 0, 8, sizes.length), ...sizes.map((size) => Buffer.of(0, 0, 0, size)), bytes]);

export const idxImages = idx([4, 3, 3], counting(36));
export const idxLabels = idx([4], counting(4, 10));

/** Two records of a fine and a coarse label byte and an image. */
export const cifarRecords = Buffer.concat(
  [0, 1].map((i) => Buffer.concat([Buffer.of(i, i), counting(3072)])),
);

export const gzipped = (bytes: Uint8Array) => gzipSync(bytes, { level: 1 });

/** One image in each format, by the name of a file. */
export async function images(): Promise<Record<string, Buffer>> {
  const jpeg = await photo(1, { width: 24, height: 16 });
  const image = () => sharp()(jpeg);
  return {
    "a.jpg": jpeg,
    "progressive.jpg": await image().jpeg({ progressive: true, quality: 50 }).toBuffer(),
    "turned.jpg": await image().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    "cmyk.jpg": await image().toColourspace("cmyk").jpeg().toBuffer(),
    "a.png": await image().png().toBuffer(),
    "palette.png": await image().png({ palette: true }).toBuffer(),
    "a.webp": await image().webp().toBuffer(),
    "a.gif": await image().gif().toBuffer(),
    "a.tiff": await image().tiff({ compression: "lzw" }).toBuffer(),
  };
}

/** A safetensors file of Lyceum's, which describes a network. */
export const weightsFile = () =>
  written((folder) =>
    torch.scope(() =>
      writeWeights(
        join(folder, "weights.safetensors"),
        { "fc.weight": torch.ones([2, 3]), "fc.bias": torch.zeros([2], { dtype: "float64" }) },
        {
          model: "resnet8",
          generation: 0,
          role: "patriarch",
          classNames: ["cat", "dog"],
          ...{ channels: 1, height: 8, width: 8, mean: [0.5], std: [0.25] },
        },
      ),
    ),
  );

/** A finished run of one generation with a log and a transfer, but without weights. */
export const run = () =>
  written(async (directory) => {
    const recipe = resolveRecipe({ title: "a trial", data: "synthetic", generations: 1, epochs: 10 });
    const folder = await RunFolder.create(directory, recipe, await describeEnvironment({ device: "cpu" }));
    const test = { top1: 0.9, top5: 0.99, nll: 0.3, ece: 0.01, scoreByRank: [0.8, 0.1], entropy: 0.6 };
    for (const epoch of [1, 2, 3])
      await folder.appendMetrics({
        ...{
          generation: 0,
          role: "patriarch",
          epoch,
          epochs: 10,
          learningRate: 0.1 / epoch,
          trainLoss: 1 / epoch,
        },
        ...{ terms: { hard: 1 / epoch }, trainTop1: 0.5, validation: { loss: 1, top1: 0.5 } },
        ...{ imagesPerSecond: 100, seconds: 1, date: "2026-11-30T12:00:00.000Z" },
      });
    await folder.writeSummary({
      title: "a trial",
      k: 5,
      generations: [
        {
          generation: 0,
          role: "patriarch",
          test,
          epochs: 10,
          trainSeconds: 1,
          weights: "generation-0/weights.safetensors",
        },
      ],
      ensembles: {},
      seconds: 2,
    });
    await writeTransfer(directory, transfer);
    await folder.close();
  });

/** What a training tells of itself while it goes on. */
export const progress = JSON.stringify({
  ...{ generation: 0, role: "patriarch", epoch: 4, epochs: 10, step: 7, stepsPerEpoch: 20 },
  ...{ imagesPerSecond: 100, secondsLeft: 60, loss: 0.5, terms: { hard: 0.5 }, top1: 0.75 },
  curve: [
    [3, 0.7],
    [7, 0.5],
  ],
  machine: { host: "here", load: 1.5, cores: 2, residentGiB: 0.25 },
  date: "2026-11-30T12:00:00.000Z",
} satisfies LiveProgress);

const transfer: Parameters<typeof writeTransfer>[1] = {
  ...{ lyceum: "0.1.0", name: "birds", data: { name: "folder", root: "birds" }, classes: 2 },
  ...{
    images: { train: 10, test: 10 },
    layer: "the input of fc",
    spatial: "mean",
    scaling: "l2",
    shots: [5, null],
  },
  ...{ splits: 2, folds: 2, seed: 0, date: "2026-11-30T12:00:00.000Z", seconds: 1 },
  generations: [
    {
      ...{ generation: 0, role: "patriarch", features: 64 },
      results: [
        { shots: 5, classifier: "svm", top1: [0.5, 0.6], meanClassAccuracy: [0.5, 0.6], c: [1, 10] },
        { shots: null, classifier: "knn", top1: [0.5], meanClassAccuracy: [0.5], c: [] },
      ],
    },
  ],
};

/** The results of a study of two arms, one seed and two generations, all of them finished. */
export const study = () =>
  written(async (directory) => {
    const file = {
      ...tinyStudy,
      seeds: [0],
      arms: { strict: { patriarch: "strict" }, soft: tinyStudy.arms.tolerant },
    };
    const { folder, plan } = await beginStudy(file, directory);
    for (const { fingerprint, decides } of plan.networks) {
      const scores = {
        ...{
          classes: 5,
          ranks: 5,
          bestClasses: Int32Array.from(counting(20, 5)),
          labels: Int32Array.of(0, 1, 2, 3),
        },
        ...{ bestScores: new Float32Array(20).fill(0.2), labelScores: new Float32Array(4).fill(0.2) },
      };
      saveScores(folder.network(fingerprint).scores, { test: scores, heldOut: scores });
      await folder.writeNetwork({
        ...{ format: 1, fingerprint, decides, images: { train: "a".repeat(64), test: "b".repeat(64) } },
        ...{
          test: { top1: 0.25, nll: 1.2 },
          heldOut: { top1: 0.25 },
          trainSeconds: 1,
          kernels: "none, 1 thread",
        },
        curve: { trainLoss: [2, 1], trainTop1: [0.2, 0.4], heldOutTop1: [0.2, 0.4] },
        machine: { cpu: "any", cores: 2, memoryGiB: 4, os: "any", arch: "x64" },
        ...{ lyceum: "0.1.0", date: "2026-11-30T12:00:00.000Z" },
      });
    }
  });
