import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { resolveRecipe } from "../../recipe/index.js";
import { bytesOf } from "../bytes-of.js";
import { temporaryFolder } from "../fixtures/files.js";
import { type AnyDataset, isStored, type StoredImages } from "../image-set.js";
import { loadDataset } from "../load.js";
import { nameOf } from "../stored/places.js";

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
  vi.stubEnv("LYCEUM_DATA", join(root, "cache"));
});

/** Writes files that need not be images: listing does not open them. */
function write(...paths: string[]): string {
  const folder = join(root, "photos");
  for (const path of paths) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
  return folder;
}

const open = (more: object = {}) => loadDataset({ name: "folder", root: join(root, "photos"), ...more });

const filesOf = (set: AnyDataset["train"]) =>
  Array.from({ length: set.count }, (_, i) => nameOf((set as StoredImages).places, i).slice(root.length + 8));

it("takes classes from the folders of train/ and val/", async () => {
  write(
    "train/tench/b.JPEG",
    "train/tench/a.jpg",
    "train/bell pepper/x.png",
    "train/bell pepper/deep/y.webp",
  );
  write("val/tench/c.jpeg");
  const set = await open();
  expect(set.classNames).toEqual(["bell pepper", "tench"]);
  expect(isStored(set.train)).toBe(true);
  expect(filesOf(set.train)).toEqual([
    ...[
      "train/bell pepper/deep/y.webp",
      "train/bell pepper/x.png",
      "train/tench/a.jpg",
      "train/tench/b.JPEG",
    ],
  ]);
  expect([...set.train.labels]).toEqual([0, 0, 1, 1]);
  expect(filesOf(set.test)).toEqual(["val/tench/c.jpeg"]);
  expect([...set.test.labels]).toEqual([1]);
  expect(set.train).toMatchObject({ channels: 3, height: 224, width: 224, resize: 256 });
  expect(set.notes).toEqual(["val/ has no images of bell pepper"]);
});

it("splits a folder of classes by a share, each class alike and the same every time", async () => {
  for (let i = 0; i < 10; i++) write(`cat/${i}.jpg`, `dog/${i}.jpg`);
  const [once, again, other] = [await open(), await open(), await open({ seed: 1, testShare: 0.3 })];
  expect([once.train.count, once.test.count]).toEqual([16, 4]);
  expect([...once.test.labels]).toEqual([0, 0, 1, 1]);
  expect(filesOf(again.test)).toEqual(filesOf(once.test));
  expect([other.train.count, other.test.count]).toEqual([14, 6]);
  expect([...filesOf(once.train), ...filesOf(once.test)].sort()).toHaveLength(20);
  expect(new Set([...filesOf(once.train), ...filesOf(once.test)]).size).toBe(20);
  expect(once.notes).toEqual(["4 of 20 images, 20 % of each class, are for testing (data.testShare)"]);
});

it("tells what it leaves out", async () => {
  write("train/a/1.jpg", "train/b/1.jpg", "train/b/notes.txt", "train/b/.DS_Store", "train/loose.jpg");
  write("test/a/1.jpg", "test/b/2.jpg", "val/a/1.jpg");
  symlinkSync("nowhere", join(root, "photos/train/a/dangling.jpg"));
  const { notes, train, test } = await open();
  expect([train.count, test.count]).toEqual([2, 2]);
  expect(notes).toEqual([
    "train/a/dangling.jpg (a link that leads nowhere, or a file that may not be read) and 1 other files left out; " +
      "`npx lyceum data check` lists them",
    `1 image files in ${join(root, "photos/train")} that lie in no class's folder are left out`,
    "val/ is not used: testing is on test/ (data.testFolder chooses)",
  ]);
  expect((await open({ testFolder: "val" })).test.count).toBe(1);
});

it.each([
  ["Training/a/1.jpg", "Training/b/1.jpg", "Testing/a/1.jpg"],
  ["TRAIN/a/1.jpg", "TRAIN/b/1.jpg", "Val/a/1.jpg"],
])("takes parts by their names in any case: %s", async (...paths) => {
  write(...paths);
  const { classNames, train, test } = await open();
  expect(classNames).toEqual(["a", "b"]);
  expect([train.count, test.count]).toEqual([2, 1]);
});

it("follows links, but never in a circle", async () => {
  write("cat/1.jpg", "cat/2.jpg", "cat/3.jpg", "dog/1.jpg", "dog/2.jpg", "dog/3.jpg");
  symlinkSync("..", join(root, "photos/cat/again"));
  for (const name of "abcdefghij") symlinkSync(".", join(root, "photos/dog", name));
  const set = await open({ testShare: 0.5 });
  // Otherwise the dogs would be cats too, by way of the link to the folder of both.
  const files = [...filesOf(set.train), ...filesOf(set.test)];
  expect(files).toHaveLength(6);
  expect(set.leftOut).toContainEqual({ path: "cat/again", why: "a link to a folder that it lies in" });
  expect(set.leftOut).toContainEqual({ path: "dog/j", why: "a link to a folder that it lies in" });
});

it.each([
  [[], /photos: is not there\. Give a folder with train\/CLASS/],
  [["photo.jpg"], /photos: holds no images in folders of their classes/],
  [["train/a/1.jpg", "val/a/1.jpg"], /photos\/train: holds images of one class alone, a/],
  [
    ["train/a/1.jpg", "train/b/1.jpg", "val/c/1.jpg"],
    /photos\/val\/c: is a class that .*train does not have/,
  ],
  [["train/a/1.txt", "val/a/1.jpg"], /photos\/train: holds no images/],
  [["Testing/a/1.jpg", "Testing/b/1.jpg", "others/a/1.jpg"], /photos: holds Testing\/ but no train\//],
  [["a/1.jpg", "b/1.jpg"], /holds 2 images, of which a share of 0\.2 for testing is 0/],
])("a folder of %j is refused in words", async (paths, message) => {
  write(...paths);
  await expect(open()).rejects.toThrow(message);
});

it("refuses options that do not fit the folder", async () => {
  write("train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg");
  await expect(open({ testShare: 0.2 })).rejects.toThrow("testShare means nothing");
  await expect(open({ testFolder: "eval" })).rejects.toThrow("has no folder eval");
  await expect(open({ size: 128, resize: 100 })).rejects.toThrow("resize is 100, smaller than size, 128");
  await expect(loadDataset({ name: "folder" })).rejects.toThrow("does not say which folder it is");
});

it("keeps the list of many files until a folder changes", async () => {
  const folder = write(...Array.from({ length: 2100 }, (_, i) => `${i % 2 ? "cat" : "dog"}/${i}.jpg`));
  const old = new Date(Date.now() - 60_000);
  for (const name of ["cat", "dog"]) utimesSync(join(folder, name), old, old);
  const listed: number[] = [];
  const load = () =>
    loadDataset({ name: "folder", root: folder }, { onProgress: ({ done }) => void listed.push(done) });
  const first = await load();
  // A file that is written over in place is not looked for: it shows when it is read.
  writeFileSync(join(folder, "cat/1.jpg"), "longer than before");
  const second = await load();
  expect(filesOf(second.train)).toEqual(filesOf(first.train));
  expect((second.train as StoredImages).places.sizes).toEqual((first.train as StoredImages).places.sizes);
  // Read, it is found to be another, and the list is made anew the next time.
  await expect(
    bytesOf(first.train as StoredImages, filesOf(first.train).indexOf("cat/1.jpg")),
  ).rejects.toThrow(/cat\/1\.jpg: was changed since it was listed\. Run again/);
  const third = await load();
  const at = filesOf(third.train).indexOf("cat/1.jpg");
  expect((third.train as StoredImages).places.sizes).not.toEqual((first.train as StoredImages).places.sizes);
  expect(at).toBeGreaterThanOrEqual(0);
  write("cat/more.jpg");
  const fourth = await load();
  expect(fourth.train.count + fourth.test.count).toBe(2101);
  writeFileSync(join(folder, "cat/3.jpg"), "longer than before");
  const fresh = await loadDataset({ name: "folder", root: folder }, { fresh: true });
  expect((fresh.train as StoredImages).places.sizes).toContain("longer than before".length);
});

it("is meant by the short form of a recipe's data", () => {
  const recipe = resolveRecipe({ data: { folder: "photos", size: 128 } });
  expect(recipe.data).toEqual({ name: "folder", root: "photos", size: 128, heldOut: 0 });
  expect(recipe.augment).toEqual({
    crop: 0,
    flip: true,
    resizedCrop: { area: [0.08, 1], aspect: [3 / 4, 4 / 3] },
  });
  expect(resolveRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  const middle = resolveRecipe({ data: { folder: "photos" }, augment: { resizedCrop: false } });
  expect(middle.augment.resizedCrop).toBe(false);
  expect(() => resolveRecipe({ data: { folder: "photos", sise: 3 } })).toThrow(
    /data\.sise: unknown key; did you mean "size"/,
  );
  expect(() => resolveRecipe({ data: "cifar10", augment: { resizedCrop: {} } })).toThrow(
    /augment\.resizedCrop: is for images in files/,
  );
});
