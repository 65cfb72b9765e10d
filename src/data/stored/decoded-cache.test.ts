import {
  closeSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { bytesOf } from "../bytes-of.js";
import { temporaryFolder } from "../fixtures/files.js";
import type { AnyDataset, StoredImages } from "../image-set.js";
import { loadDataset } from "../load.js";
import { withDecodedCache } from "./decoded-cache.js";
import { nameOf } from "./places.js";
import { photo, writePhotos } from "./testing/photos.js";

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
  vi.stubEnv("LYCEUM_DATA", join(root, "home"));
  await writePhotos(join(root, "photos"));
  writeFileSync(
    join(root, "photos/train/steep/6.png"),
    await photo(1, { width: 61, height: 80, format: "png" }),
  );
});

const load = (more: object = {}, options: object = {}) =>
  loadDataset({ name: "folder", root: join(root, "photos"), size: 24, resize: 30, ...more }, options);

const allOf = async ({ train }: AnyDataset) =>
  await Promise.all(Array.from({ length: train.count }, (_, i) => bytesOf(train as StoredImages, i)));

it("shows in evaluation what the files show, to the bit", async () => {
  const direct = await load();
  const cached = await load({ cache: true });
  expect(await allOf(cached)).toEqual(await allOf(direct));
  expect([...cached.train.labels]).toEqual([...direct.train.labels]);
  expect(nameOf((cached.train as StoredImages).places, 0)).toContain("photos/train/shallow/0.jpg");
});

it("may lie in a folder that is named from where the program runs", async () => {
  const before = process.cwd();
  process.chdir(root);
  try {
    expect(await allOf(await load({ cache: "near" }))).toEqual(await allOf(await load()));
  } finally {
    process.chdir(before);
  }
});

it("is written once, and anew where an image has changed", async () => {
  const folder = join(root, "elsewhere");
  const written: string[] = [];
  const onProgress = ({ doing }: { doing?: string }) => void written.push(doing ?? "");
  const first = await allOf(await load({ cache: folder }, { onProgress }));
  expect(written).toContain("decoding images into the cache");
  const endings = readdirSync(folder).map((name) => name.replace(/^.*\./, ""));
  expect(endings.sort()).toEqual(["images", "images", "index", "index"]);
  written.length = 0;
  const second = await load({ cache: folder }, { onProgress });
  expect(written).toEqual([]);
  expect(await allOf(second)).toEqual(first);
  utimesSync(join(root, "photos/train/steep/0.jpg"), 5, 5);
  await load({ cache: folder }, { onProgress });
  expect(written).toContain("decoding images into the cache");
  // Cut short, as by a full disk, it is written again.
  const largest = readdirSync(folder)
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
  truncateSync(largest, 100);
  expect(await allOf(await load({ cache: folder }))).toEqual(first);
});

it("finds a byte that was changed, by the image's own name", async () => {
  const { train } = await load({ cache: true });
  const { places } = train as StoredImages;
  const file = openSync(nameOf(places, 3).split(": ")[0]!, "r+");
  writeSync(file, Buffer.of(1, 2, 3), 0, 3, places.offsets![3]! + 500);
  closeSync(file);
  // The file's time has changed as well: what the places say is brought up to it, so that only the checksum can tell.
  const { size, mtimeMs } = statSync(nameOf(places, 3).split(": ")[0]!);
  const now = {
    ...(train as StoredImages),
    places: { ...places, sizes: Float64Array.of(size), times: Float64Array.of(mtimeMs) },
  };
  await expect(bytesOf(now, 3)).rejects.toThrow(/shallow\/3\.jpg: is damaged/);
  expect(await bytesOf(now, 2)).toHaveLength(3 * 24 * 24);
});

it("asks to be run again where an image was changed since it was listed", async () => {
  const { train } = await load();
  utimesSync(join(root, "photos/train/steep/0.jpg"), 5, 5);
  await expect(withDecodedCache(train, { folder: join(root, "elsewhere"), side: 30 })).rejects.toThrow(
    /steep\/0\.jpg: was changed since it was listed\. Run again/,
  );
});

it("leaves no file behind where it is interrupted or an image is damaged", async () => {
  const folder = join(root, "elsewhere");
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  await expect(load({ cache: folder }, { signal: controller.signal })).rejects.toThrow("enough");
  truncateSync(join(root, "photos/train/steep/2.jpg"), 600);
  await expect(load({ cache: folder })).rejects.toThrow(/steep\/2\.jpg: is cut short.*data\.damaged: skip/);
  expect(readdirSync(folder)).toEqual([]);
  expect((await load({ cache: folder, damaged: "skip" })).train.count).toBe(12);
});
