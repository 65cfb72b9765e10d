import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeEach, expect, it, vi } from "vitest";
import { tarStream } from "../../packages.js";
import { resolveRecipe } from "../../recipe/index.js";
import { temporaryFolder } from "../fixtures/files.js";
import { type StoredImages, subset } from "../image-set.js";
import { loadDataset } from "../load.js";
import { nameOf } from "../stored/places.js";

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
  vi.stubEnv("LYCEUM_DATA", join(root, "cache"));
});

async function shard(name: string, members: readonly (readonly [string, string])[]): Promise<void> {
  const pack = tarStream().pack();
  for (const [member, data] of members) pack.entry({ name: member }, data);
  pack.finalize();
  writeFileSync(join(root, name), await buffer(pack));
}

const load = (more: object = {}) =>
  loadDataset({ name: "shards", root, train: "train-{0..1}.tar", test: "test.tar", ...more });

async function writeShards(): Promise<void> {
  await shard("train-0.tar", [
    ["a/one.jpg", "image one"],
    ["a/one.cls", "2\n"],
    ["a/one.txt", "a caption, which is not needed"],
    ["a/two.seg.png", "not this one"],
    ["a/two.cls", "0"],
    ["a/two.jpeg", "image two"],
  ]);
  await shard("train-1.tar", [
    ["three.cls", "1"],
    ["three.png", "image three"],
  ]);
  await shard("test.tar", [
    ["x.webp", "image x"],
    ["x.cls", "1"],
  ]);
}

it("reads samples out of shards in place", async () => {
  await writeShards();
  for (const time of ["first", "from the index"]) {
    const { train, test, classNames } = await load();
    const stored = train as StoredImages;
    const bytes = (set: StoredImages, i: number) => {
      const { offsets, lengths } = set.places;
      const file = readFileSync(nameOf(set.places, i).split(": ")[0]!, "latin1");
      return file.slice(offsets![i]!, offsets![i]! + lengths![i]!);
    };
    expect([...train.labels], time).toEqual([2, 0, 1]);
    expect([0, 1, 2].map((i) => bytes(stored, i))).toEqual(["image one", "image two", "image three"]);
    expect(nameOf(stored.places, 1)).toBe(`${join(root, "train-0.tar")}: a/two.jpeg`);
    expect(bytes(subset(stored, Int32Array.of(2, 0)), 0)).toBe("image three");
    expect(nameOf(subset(stored, Int32Array.of(2, 0)).places, 1)).toContain("one.jpg");
    expect([...test.labels]).toEqual([1]);
    expect(classNames).toEqual(["0", "1", "2"]);
  }
});

it("takes the classes' names from a file", async () => {
  await writeShards();
  writeFileSync(join(root, "names.txt"), "cat\ndog\nlarge fish\n");
  expect((await load({ classNames: "names.txt" })).classNames).toEqual(["cat", "dog", "large fish"]);
  writeFileSync(join(root, "names.txt"), "cat\n");
  await expect(load({ classNames: "names.txt" })).rejects.toThrow(
    "names 1 classes, but a sample is of class 2",
  );
});

it("tells of classes without images, and refuses numbers that no set has", async () => {
  await writeShards();
  await shard("train-1.tar", [
    ["three.cls", "7"],
    ["three.png", "image three"],
  ]);
  expect((await load()).notes).toEqual(["no training image is of 5 of the 8 classes, such as 1"]);
  await shard("train-1.tar", [
    ["three.cls", "999999"],
    ["three.png", "image three"],
  ]);
  await expect(load()).rejects.toThrow(
    "a sample is of class 999999, and classes are numbered from 0 to 99999",
  );
  await writeShards();
  writeFileSync(join(root, "names.txt"), "cat\ndog\ncat\n");
  await expect(load({ classNames: "names.txt" })).rejects.toThrow('names "cat" twice');
});

it("names the sample, the shard or the key that is wrong", async () => {
  await expect(loadDataset({ name: "shards", root })).rejects.toThrow("data.train does not say which");
  await expect(load()).rejects.toThrow(/train-0\.tar: is not there/);
  await writeShards();
  await expect(load({ train: "train-{0..1" })).rejects.toThrow("has a brace without its end");
  await shard("test.tar", [["x.jpg", "image"]]);
  await expect(load()).rejects.toThrow(/test\.tar: x: has no class\. A sample must be/);
  await shard("test.tar", [["x.cls", "0"]]);
  await expect(load()).rejects.toThrow(/test\.tar: x: has no image/);
  await shard("test.tar", [
    ["x.jpg", "image"],
    ["x.cls", "tench"],
  ]);
  await expect(load()).rejects.toThrow(/test\.tar: x\.cls: is no class's number but "tench"/);
  await shard("test.tar", []);
  await expect(load()).rejects.toThrow(/test\.tar: holds no samples/);
});

it("can be named by a recipe", () => {
  const recipe = resolveRecipe({ data: { name: "shards", train: "a-{0..9}.tar", test: ["b.tar"] } });
  expect(recipe.data).toEqual({ name: "shards", train: "a-{0..9}.tar", test: ["b.tar"], heldOut: 0 });
});
