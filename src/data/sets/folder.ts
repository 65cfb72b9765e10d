import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DataError } from "../data-error.js";
import { type DataSpec, defineDataset, type MakeOptions } from "../define.js";
import type { AnyDataset, StoredImages } from "../image-set.js";
import { subset } from "../image-set.js";
import { stratifiedSample } from "../split.js";
import { type ClassFolders, classFolders } from "../stored/class-folders.js";
import { type FolderIndex, indexFolders } from "../stored/folder-index.js";
import {
  photoAugment,
  photoNormalisation,
  type StoredOptions,
  storedOptions,
  storedOptionsOf,
} from "../stored/options.js";
import { bytesAt } from "../stored/text-list.js";
import { hasImageEnding, listFolder } from "../stored/walk.js";

/** The names of a folder that holds the test images, the first of which that is there is taken. */
const testFolders = ["test", "val", "valid", "validation"];
const usualShare = 0.2;
const remedy =
  "Give a folder with train/CLASS/… and val/CLASS/…, or one with a folder for each class: data: { folder: PATH }";

export const folder = defineDataset({
  name: "folder",
  summary: "photographs of one's own: a folder for each class, in train/ and val/ or all in one place",
  options: (z) => ({
    ...storedOptions(z),
    testFolder: z
      .string()
      .regex(/^[^/\\]+$/, "must be the name of a folder, without slashes")
      .exactOptional()
      .describe(
        `Of a folder: the name of the one in it that holds the test images. Default: the first of ${testFolders.join(", ")} that is there.`,
      ),
    testShare: z
      .number()
      .min(0.01)
      .max(0.9)
      .exactOptional()
      .describe(
        "Of a folder without a part for testing: the fraction of the images, of each class, that becomes the test part. " +
          `Default: ${usualShare}.`,
      ),
  }),
  augment: photoAugment,
  from: { make: (spec, options) => openFolder(spec, options) },
});

/**
 * Lists the images of a folder.
 *
 * @throws DataError that says what is missing in the folder and what would do
 */
export async function openFolder(spec: DataSpec, options: MakeOptions = {}): Promise<AnyDataset> {
  const { root: given } = spec;
  if (given === undefined) throw new DataError({ file: "data" }, "does not say which folder it is", remedy);
  const root = resolve(given);
  const top = foldersIn(root, "");
  const has = (name: string) => top.folders.some((path) => path.equals(Buffer.from(name)));
  const test = testFolderOf(root, spec, has);
  const common = storedOptionsOf(spec);
  if (!has("train")) {
    if (test !== undefined) throw new DataError({ file: root }, `holds ${test}/ but no train/`, remedy);
    return splitFolder({
      root,
      spec,
      common,
      index: await indexFolders(root, top.folders, listing(options)),
      loose: top.loose,
    });
  }
  const inTrain = foldersIn(root, "train");
  if (test === undefined) {
    const index = await indexFolders(root, inTrain.folders, listing(options));
    return splitFolder({ root, spec, common, index, loose: inTrain.loose, depth: 1 });
  }
  if (spec.testShare !== undefined)
    throw new DataError(
      { file: root },
      `has images for testing, in ${test}/, so testShare means nothing`,
      "Leave data.testShare out",
    );
  const inTest = foldersIn(root, test);
  const index = await indexFolders(root, [...inTrain.folders, ...inTest.folders], listing(options));
  const last = countUnder(index, "train");
  const train = classFolders(index.files, [0, last], 1);
  const others = classFolders(index.files, [last, index.sizes.length], 1);
  requireImages(`${root}/train`, train);
  requireImages(`${root}/${test}`, others, 1);
  const labelOf = new Map(train.classNames.map((name, label) => [name, label]));
  const foreign = others.classNames.find((name) => !labelOf.has(name));
  if (foreign !== undefined)
    throw new DataError(
      { file: `${root}/${test}/${foreign}` },
      `is a class that ${root}/train does not have`,
      "Give both parts the same classes, or take the folder away",
    );
  const whole = imagesOf(index, root, common, train.classNames);
  const part = (name: string, from: number, labels: Int32Array) => ({
    ...subset(
      whole,
      Int32Array.from(labels, (_, i) => from + i),
    ),
    name,
    labels,
  });
  const labels = others.labels.map((label) => labelOf.get(others.classNames[label]!)!);
  const absent = train.classNames.filter((name) => !others.classNames.includes(name));
  const unused = testFolders.filter((name) => name !== test && has(name));
  const notes = [
    ...notesOf(index, inTrain.loose + inTest.loose),
    ...(absent.length > 0 ? [`${test}/ has no images of ${listed(absent)}`] : []),
    ...(unused.length > 0
      ? [`${unused.join("/, ")}/ is not used: testing is on ${test}/ (data.testFolder chooses)`]
      : []),
  ];
  return datasetOf(part("train", 0, train.labels), part(test, last, labels), notes);
}

const listing = ({ signal, onProgress }: MakeOptions): MakeOptions => ({
  signal,
  onProgress: onProgress && ((progress) => onProgress({ ...progress, doing: "listing images" })),
});

/** The folders in a folder of the root, by their paths from the root, and the number of images that lie loose beside them. */
function foldersIn(root: string, path: string): { folders: Buffer[]; loose: number } {
  const whole = join(root, path);
  const found = statSync(whole, { throwIfNoEntry: false });
  if (!found) throw new DataError({ file: whole }, "is not there", remedy);
  if (!found.isDirectory()) throw new DataError({ file: whole }, "is no folder", remedy);
  const { entries } = listFolder(root, Buffer.from(path));
  const isFolder = (name: Buffer) =>
    statSync(Buffer.concat([Buffer.from(`${whole}/`), name]), { throwIfNoEntry: false })?.isDirectory() ===
    true;
  const names = entries.map(({ name }) => name).filter((name) => name[0] !== 0x2e);
  const prefix = Buffer.from(path === "" ? "" : `${path}/`);
  return {
    folders: names.filter(isFolder).map((name) => Buffer.concat([prefix, name])),
    loose: names.filter((name) => hasImageEnding(name) && !isFolder(name)).length,
  };
}

function testFolderOf(root: string, spec: DataSpec, has: (name: string) => boolean): string | undefined {
  const named = spec.testFolder as string | undefined;
  if (named === undefined) return has("train") ? testFolders.find(has) : undefined;
  if (has(named)) return named;
  throw new DataError({ file: root }, `has no folder ${named}, which data.testFolder names`, remedy);
}

/** Splits the images of one folder by a share, class by class. */
function splitFolder({
  root,
  spec,
  common,
  index,
  loose,
  depth = 0,
}: {
  root: string;
  spec: DataSpec;
  common: StoredOptions;
  index: FolderIndex;
  loose: number;
  depth?: number;
}): AnyDataset {
  const { classNames, labels } = classFolders(index.files, [0, index.sizes.length], depth);
  requireImages(root, { classNames, labels });
  const whole = { ...imagesOf(index, root, common, classNames), labels };
  const share = (spec.testShare as number | undefined) ?? usualShare;
  const test = stratifiedSample(labels, Math.round(share * labels.length), spec.seed ?? 0);
  const isTest = new Uint8Array(labels.length);
  for (const i of test) isTest[i] = 1;
  const train = Int32Array.from(labels.keys()).filter((i) => !isTest[i]);
  if (test.length === 0 || train.length === 0)
    throw new DataError(
      { file: root },
      `holds ${labels.length} images, of which a share of ${share} for testing is ${test.length}`,
      "Add images, or give another data.testShare",
    );
  const note = `${test.length} of ${labels.length} images, ${Math.round(100 * share)} % of each class, are for testing (data.testShare)`;
  return datasetOf({ ...subset(whole, train), name: "train" }, { ...subset(whole, test), name: "test" }, [
    ...notesOf(index, loose),
    note,
  ]);
}

function datasetOf(train: StoredImages, test: StoredImages, notes: readonly string[]): AnyDataset {
  return {
    name: "folder",
    train,
    test,
    classNames: train.classNames,
    normalisation: photoNormalisation,
    notes,
  };
}

/** All images of an index as one set, without labels. */
function imagesOf(
  index: FolderIndex,
  root: string,
  { size, resize }: StoredOptions,
  classNames: readonly string[],
): StoredImages {
  const { files, sizes, times } = index;
  const fileOf = Int32Array.from(sizes.keys());
  const shape = { channels: 3, height: size, width: size, resize };
  const places = { root, files, sizes, times, fileOf };
  return {
    name: root,
    places,
    labels: new Int32Array(sizes.length),
    count: sizes.length,
    classNames,
    ...shape,
  };
}

function requireImages(file: string, { classNames }: ClassFolders, classes = 2): void {
  if (classNames.length === 0)
    throw new DataError({ file }, "holds no images in folders of their classes", remedy);
  if (classNames.length < classes)
    throw new DataError(
      { file },
      `holds images of one class alone, ${classNames[0]}`,
      "There must be two classes at least",
    );
}

/** The number of files whose paths begin with a folder; they come first. */
function countUnder({ files, sizes }: FolderIndex, top: string): number {
  const prefix = Buffer.from(`${top}/`);
  let count = 0;
  while (count < sizes.length && prefix.compare(bytesAt(files, count), 0, prefix.length) === 0) count++;
  return count;
}

function notesOf({ leftOut, leftOutCount }: FolderIndex, loose: number): string[] {
  const [first] = leftOut;
  const others = leftOutCount > 1 ? ` and ${leftOutCount - 1} other files` : "";
  return [
    ...(first
      ? [`${first.path} (${first.why})${others} left out; \`npx lyceum data check\` lists them`]
      : []),
    ...(loose > 0 ? [`${loose} image files that lie in no class's folder are left out`] : []),
  ];
}

const listed = (names: readonly string[]) =>
  names.length <= 3
    ? names.join(", ")
    : `${names.slice(0, 3).join(", ")} and ${names.length - 3} other classes`;
