import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../fixtures/files.js";
import { loadDataset } from "../load.js";
import { makeSynthetic } from "../sets/synthetic.js";
import { checkStored } from "./check-report.js";
import { writePhotos } from "./testing/photos.js";

let folder: string;

beforeEach(async () => {
  const root = await temporaryFolder();
  folder = join(root, "photos");
  vi.stubEnv("LYCEUM_DATA", join(root, "cache"));
  await writePhotos(folder);
});

const spec = () => ({ name: "folder", root: folder, size: 24 });

it("tells what is in each part, what is damaged and what is in both", async () => {
  truncateSync(join(folder, "train/steep/5.jpg"), 600);
  writeFileSync(join(folder, "val/shallow/9.jpg"), "no image");
  copyFileSync(join(folder, "train/shallow/2.jpg"), join(folder, "val/shallow/copy.jpg"));
  const report = await checkStored(await loadDataset(spec()));
  expect(report.train).toMatchObject({ images: 12, perClass: [6, 6] });
  expect(report.train.sizes).toEqual({ smallest: [50, 70], median: [64, 60], largest: [71, 55] });
  expect(report.train.damaged).toHaveLength(1);
  expect(report.train.damaged[0]).toMatchObject({
    name: join(folder, "train/steep/5.jpg"),
    status: "truncated",
  });
  expect(report.test).toMatchObject({ images: 6, perClass: [4, 2] });
  expect(report.test.damaged.map(({ status }) => status)).toEqual(["unknown-format"]);
  expect(report.twice).toEqual([
    { train: join(folder, "train/shallow/2.jpg"), test: join(folder, "val/shallow/copy.jpg") },
  ]);
});

it("does not take images of the same length for the same", async () => {
  const bytes = readFileSync(join(folder, "train/steep/1.jpg"));
  bytes[bytes.length - 5000 > 0 ? 3000 : bytes.length >> 1]! ^= 1;
  writeFileSync(join(folder, "val/steep/like.jpg"), bytes);
  expect((await checkStored(await loadDataset(spec()))).twice).toEqual([]);
});

it("leaves damaged images out where it is asked to, and names them", async () => {
  truncateSync(join(folder, "train/steep/5.jpg"), 600);
  const { train, test, notes } = await loadDataset({ ...spec(), damaged: "skip" });
  expect([train.count, test.count]).toEqual([11, 4]);
  expect(notes).toEqual([
    expect.stringMatching(
      /^1 damaged images are left out \(data\.damaged: skip\): .*train\/steep\/5\.jpg is cut short/,
    ),
  ]);
  expect([...train.labels].filter((label) => label === 1)).toHaveLength(5);
  for (let i = 0; i < 5; i++) truncateSync(join(folder, `train/steep/${i}.jpg`), 600);
  await expect(loadDataset({ ...spec(), damaged: "skip" })).rejects.toThrow(
    /all training images of the class steep are damaged, such as .*train\/steep\/\d\.jpg/,
  );
});

it("is for images in files alone", async () => {
  await expect(checkStored(makeSynthetic({ size: 8, trainCount: 10, testCount: 10 }))).rejects.toThrow(
    "the images of synthetic are no image files",
  );
});
