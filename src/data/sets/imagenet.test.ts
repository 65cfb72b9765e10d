import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { beforeEach, expect, it, vi } from "vitest";
import { tarStream } from "../../packages.js";
import { temporaryFolder } from "../fixtures/files.js";
import type { StoredImages } from "../image-set.js";
import { loadDataset } from "../load.js";
import { nameOf } from "../stored/places.js";

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
  vi.stubEnv("LYCEUM_DATA", join(root, "cache"));
});

async function tar(members: Record<string, Buffer | string>): Promise<Buffer> {
  const pack = tarStream().pack();
  for (const [name, data] of Object.entries(members)) pack.entry({ name }, data);
  pack.finalize();
  return await buffer(pack);
}

const meta = readFileSync(new URL("../stored/fixtures/meta.mat", import.meta.url));
// The classes' numbers in the kit are not in the order of their names: 1 is n02119789, 2 n02100735, 3 n01440764.
const truth = "3\n1\n2\n3\n";
const kitFiles = {
  "ILSVRC2012_devkit_t12/data/meta.mat": meta,
  "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": truth,
};
const wnids = ["n01440764", "n02100735", "n02119789"];
const validation = [1, 2, 3, 4].map((i) => `ILSVRC2012_val_0000000${i}.JPEG`);

async function writeArchives(): Promise<void> {
  const inner = await Promise.all(
    ["n02119789", "n01440764", "n02100735"].map(
      async (wnid) =>
        [
          `${wnid}.tar`,
          await tar({ [`${wnid}_1.JPEG`]: `${wnid} one`, [`${wnid}_2.JPEG`]: `${wnid} two` }),
        ] as const,
    ),
  );
  writeFileSync(join(root, "ILSVRC2012_img_train.tar"), await tar(Object.fromEntries(inner)));
  writeFileSync(
    join(root, "ILSVRC2012_img_val.tar"),
    await tar(Object.fromEntries(validation.map((name) => [name, name]))),
  );
  writeFileSync(join(root, "ILSVRC2012_devkit_t12.tar.gz"), gzipSync(await tar(kitFiles)));
}

const load = () => loadDataset({ name: "imagenet", root });

/** The bytes at an image's place. */
function bytesAt({ places }: StoredImages, i: number): string {
  const [path] = nameOf(places, i).split(": ");
  const file = readFileSync(path!);
  const start = places.offsets?.[i] ?? 0;
  return file.toString("latin1", start, start + (places.lengths?.[i] ?? file.length));
}

it("finds the images in the official archives, and the classes of the validation images in the kit", async () => {
  await writeArchives();
  for (const time of ["first", "from the index"]) {
    const { train, test, classNames } = await load();
    expect(classNames, time).toEqual(wnids);
    expect([...train.labels]).toEqual([2, 2, 0, 0, 1, 1]);
    expect(bytesAt(train as StoredImages, 3)).toBe("n01440764 two");
    expect([...test.labels]).toEqual([0, 2, 1, 0]);
    expect(bytesAt(test as StoredImages, 2)).toBe(validation[2]);
    expect(nameOf((train as StoredImages).places, 3)).toBe(
      `${join(root, "ILSVRC2012_img_train.tar")}: n01440764.tar/n01440764_2.JPEG`,
    );
  }
});

function writeTree(): void {
  for (const wnid of wnids) {
    mkdirSync(join(root, "train", wnid), { recursive: true });
    writeFileSync(join(root, "train", wnid, `${wnid}_1.JPEG`), wnid);
  }
}

it("reads training folders beside a flat folder of validation images and the unpacked kit", async () => {
  writeTree();
  mkdirSync(join(root, "val"));
  for (const name of validation) writeFileSync(join(root, "val", name), name);
  mkdirSync(join(root, "ILSVRC2012_devkit_t12/data"), { recursive: true });
  for (const [name, data] of Object.entries(kitFiles)) writeFileSync(join(root, name), data);
  const { train, test, classNames } = await load();
  expect(classNames).toEqual(wnids);
  expect([...train.labels]).toEqual([0, 1, 2]);
  expect([...test.labels]).toEqual([0, 2, 1, 0]);
});

it("says how many validation images are missing or there twice", async () => {
  await writeArchives();
  expect((await load()).notes).toEqual([]);
  const two = [validation[0]!, validation[1]!, `again/${validation[1]}`];
  writeFileSync(
    join(root, "ILSVRC2012_img_val.tar"),
    await tar(Object.fromEntries(two.map((name) => [name, name]))),
  );
  expect((await load()).notes).toEqual([
    "2 of 4 validation images are not there",
    "1 validation images are there twice",
  ]);
});

it("reads folders of classes in both parts", async () => {
  writeTree();
  for (const wnid of wnids) {
    mkdirSync(join(root, "val", wnid), { recursive: true });
    writeFileSync(join(root, "val", wnid, "x.JPEG"), wnid);
  }
  const { name, test } = await load();
  expect(name).toBe("imagenet");
  expect([...test.labels]).toEqual([0, 1, 2]);
});

it("says what is missing, damaged, or does not fit", async () => {
  await expect(load()).rejects.toThrow("holds neither ILSVRC2012_img_train.tar nor train/");
  await expect(loadDataset({ name: "imagenet" })).rejects.toThrow("data.root does not say where it is");
  await writeArchives();
  const kit = join(root, "ILSVRC2012_devkit_t12.tar.gz");
  writeFileSync(kit, "not gzip");
  await expect(load()).rejects.toThrow(/devkit_t12\.tar\.gz.*Give a folder that holds/);
  writeFileSync(kit, gzipSync(await tar({ "ILSVRC2012_devkit_t12/data/meta.mat": meta })));
  await expect(load()).rejects.toThrow("lacks data/ILSVRC2012_validation_ground_truth.txt");
  const other = {
    ...kitFiles,
    "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": "300\n1\n2\n3",
  };
  writeFileSync(kit, gzipSync(await tar(other)));
  await expect(load()).rejects.toThrow(
    "validation image 1 is of n04254680, which the training images do not have",
  );
  const train = join(root, "ILSVRC2012_img_train.tar");
  writeFileSync(train, await tar({ "readme.tar": await tar({ "a.jpg": "" }) }));
  await expect(load()).rejects.toThrow("holds readme where archives such as n01440764.tar are expected");
  writeFileSync(train, Buffer.alloc(3000, 7));
  await expect(load()).rejects.toThrow("is no header of a tar archive");
});
