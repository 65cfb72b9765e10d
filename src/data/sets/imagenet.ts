import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { tarStream } from "../../packages.js";
import { openBytes } from "../byte-source.js";
import { DataError } from "../data-error.js";
import { type DataSpec, defineDataset, type MakeOptions } from "../define.js";
import type { AnyDataset } from "../image-set.js";
import { indexFolders } from "../stored/folder-index.js";
import { readMatlabStructures } from "../stored/matlab.js";
import { openClassFolders } from "../stored/open-class-folders.js";
import { photoAugment, photoNormalisation, storedImages, storedOptions } from "../stored/options.js";
import type { ImagePlaces } from "../stored/places.js";
import { indexTar } from "../stored/tar-index.js";
import { type TextList, TextListBuilder, textAt } from "../stored/text-list.js";
import { openFolder } from "./folder.js";

const archives = {
  train: "ILSVRC2012_img_train.tar",
  val: "ILSVRC2012_img_val.tar",
  kit: "ILSVRC2012_devkit_t12.tar.gz",
} as const;
const kitFolder = "ILSVRC2012_devkit_t12";
const truth = "data/ILSVRC2012_validation_ground_truth.txt";
const meta = "data/meta.mat";
const remedy = `Give a folder that holds ${archives.train}, ${archives.val} and ${archives.kit} from image-net.org, or train/WNID/… and val/WNID/…`;
/** A class's name in WordNet, such as n01440764. */
const wnidForm = /^n\d{8}$/;

export const imagenet = defineDataset({
  name: "imagenet",
  summary:
    "ILSVRC2012: 1.28 million photographs of 1000 classes; its official archives, or folders made of them",
  hub: "ILSVRC/imagenet-1k",
  options: storedOptions,
  augment: photoAugment,
  from: { where: "where data.root says", make: (spec, options) => openImageNet(spec, options) },
});

/**
 * Lists ILSVRC2012 where it lies: the official archives, which need not be unpacked; or folders train/WNID and val/WNID; or
 * train/WNID and the validation images in one flat folder beside the development kit. Classes are in the order of their
 * WordNet names, as torchvision has them.
 *
 * @throws DataError that says what is missing and what would do
 */
async function openImageNet(spec: DataSpec, options: MakeOptions): Promise<AnyDataset> {
  if (spec.root === undefined)
    throw new DataError({ file: "imagenet" }, "data.root does not say where it is", remedy);
  const root = resolve(spec.root);
  const inside = existsSync(join(root, archives.train)) ? readdirSync(root) : [];
  if (inside.length === 0) {
    if (!existsSync(join(root, "train")))
      throw new DataError({ file: root }, `holds neither ${archives.train} nor train/`, remedy);
    if (!isFlat(join(root, "val")))
      return { ...(await openFolder({ ...spec, testFolder: "val" }, options)), name: "imagenet" };
  }
  const train: Train =
    inside.length > 0 ? await trainArchive(root, options) : await openClassFolders(root, "train", options);
  const kit = await readKit(root);
  const labelOf = new Map(train.classNames.map((wnid, label) => [wnid, label]));
  const flat = existsSync(join(root, archives.val))
    ? await valArchive(root, options)
    : await valFolder(root, options);
  const labels = flat.numbers.map((number) => {
    const wnid = kit.wnids.get(kit.truth[number - 1] ?? 0);
    const label = wnid === undefined ? undefined : labelOf.get(wnid);
    if (label !== undefined) return label;
    throw new DataError(
      { file: root },
      `validation image ${number} is of ${wnid ?? "no class that the kit knows"}, which the training images do not have`,
      remedy,
    );
  });
  const { classNames } = train;
  return {
    name: "imagenet",
    train: storedImages(spec, { name: "imagenet train", ...train }),
    test: storedImages(spec, { name: "imagenet val", places: flat.places, labels, classNames }),
    classNames,
    normalisation: photoNormalisation,
    notes: [...(train.notes ?? []), ...flat.notes, ...missingNotes(flat.numbers, kit.truth.length)],
    leftOut: [...(train.leftOut ?? []), ...flat.leftOut],
  };
}

/** Says how many of the validation images are missing, or there twice. */
function missingNotes(numbers: Int32Array, expected: number): string[] {
  const different = new Set(numbers).size;
  return [
    ...(different < expected
      ? [`${expected - different} of ${expected} validation images are not there`]
      : []),
    ...(different < numbers.length
      ? [`${numbers.length - different} validation images are there twice`]
      : []),
  ];
}

/** Whether a folder holds images themselves, not folders of them. */
function isFlat(folder: string): boolean {
  if (!existsSync(folder)) return true;
  return readdirSync(folder).some((name) => name.startsWith("ILSVRC2012_val_"));
}

interface Train {
  readonly places: ImagePlaces;
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly notes?: readonly string[];
  readonly leftOut?: AnyDataset["leftOut"];
}

/** The training images in the archive of archives, one for each class. */
async function trainArchive(root: string, options: MakeOptions): Promise<Train> {
  const path = join(root, archives.train);
  const index = await indexTar(path, { ...options, nested: true });
  const wnids = Array.from(index.offsets, (_, i) => textAt(index.names, i).split(".tar/", 1)[0]!);
  const classNames = [...new Set(wnids)].sort();
  const odd = classNames.find((name) => !wnidForm.test(name));
  if (odd !== undefined || classNames.length < 2)
    throw new DataError(
      { file: path },
      `holds ${odd ?? "no classes"} where archives such as n01440764.tar are expected`,
      remedy,
    );
  const labelOf = new Map(classNames.map((wnid, label) => [wnid, label]));
  return {
    classNames,
    labels: Int32Array.from(wnids, (wnid) => labelOf.get(wnid)!),
    places: placesIn(path, index, index.names),
  };
}

/** The validation images, and the number in each one's name, from 1. */
interface Flat {
  places: ImagePlaces;
  numbers: Int32Array;
  notes: readonly string[];
  leftOut: NonNullable<AnyDataset["leftOut"]>;
}

async function valArchive(root: string, options: MakeOptions): Promise<Flat> {
  const path = join(root, archives.val);
  const index = await indexTar(path, options);
  return {
    places: placesIn(path, index, index.names),
    numbers: numbersOf(path, index.names),
    notes: [],
    leftOut: [],
  };
}

async function valFolder(root: string, options: MakeOptions): Promise<Flat> {
  const folder = join(root, "val");
  if (!existsSync(folder))
    throw new DataError({ file: root }, `holds neither ${archives.val} nor val/`, remedy);
  const { index, files, sizes, times, leftOut, leftOutCount } = await indexFolders(
    root,
    [Buffer.from("val")],
    options,
  );
  return {
    places: { root, index, files, sizes, times, fileOf: Int32Array.from(sizes.keys()) },
    numbers: numbersOf(folder, files),
    notes:
      leftOutCount > 0
        ? [`${leftOutCount} files in ${folder} are left out, such as ${leftOut[0]!.path}`]
        : [],
    leftOut,
  };
}

function numbersOf(path: string, names: TextList): Int32Array {
  return Int32Array.from({ length: names.starts.length - 1 }, (_, i) => {
    const number = /ILSVRC2012_val_(\d{8})\.[^/]*$/.exec(textAt(names, i))?.[1];
    if (number !== undefined) return Number(number);
    throw new DataError(
      { file: path },
      `holds ${textAt(names, i)}, which has no number such as ILSVRC2012_val_00000001`,
      remedy,
    );
  });
}

function placesIn(
  path: string,
  {
    offsets,
    lengths,
    size,
    time,
  }: { offsets: Float64Array; lengths: Float64Array; size: number; time: number },
  members: TextList,
): ImagePlaces {
  const files = new TextListBuilder();
  files.add(basename(path));
  return {
    ...{
      root: dirname(path),
      files: files.finish(),
      sizes: Float64Array.of(size),
      times: Float64Array.of(time),
    },
    ...{ fileOf: new Int32Array(offsets.length), offsets, lengths, members },
  };
}

/** What the development kit says: the WordNet name of each class's number, and the number of each validation image. */
interface Kit {
  wnids: Map<number, string>;
  truth: number[];
}

/** Reads the development kit, packed or unpacked. */
async function readKit(root: string): Promise<Kit> {
  const folder = [join(root, kitFolder), root].find((place) => existsSync(join(place, meta)));
  const files = folder
    ? new Map([meta, truth].map((name) => [name, readBounded(join(folder, name))]))
    : await unpackKit(join(root, archives.kit));
  const file = folder ? join(folder, meta) : `${join(root, archives.kit)}: ${meta}`;
  const wnids = new Map<number, string>();
  try {
    for (const { ILSVRC2012_ID: id, WNID: wnid } of readMatlabStructures(files.get(meta)!))
      if (typeof id === "number" && typeof wnid === "string" && wnidForm.test(wnid)) wnids.set(id, wnid);
  } catch (cause) {
    throw new DataError({ file }, (cause as Error).message, remedy, cause);
  }
  const lines = files.get(truth)!.toString("latin1").trim().split(/\s+/);
  return { wnids, truth: lines.map(Number) };
}

const mostBytes = 1 << 24;

function readBounded(path: string): Buffer {
  if (!existsSync(path)) throw new DataError({ file: path }, "is not there", remedy);
  if (statSync(path).size > mostBytes)
    throw new DataError({ file: path }, "is too large to be the kit's", remedy);
  return readFileSync(path);
}

async function unpackKit(path: string): Promise<Map<string, Buffer>> {
  if (!existsSync(path))
    throw new DataError(
      { file: path },
      "is not there; it says which class each validation image is of",
      remedy,
    );
  const files = new Map<string, Buffer>();
  const extract = tarStream().extract();
  const { pipeline } = await import("node:stream");
  const entries = pipeline(openBytes(path), extract, () => {}) as typeof extract;
  try {
    for await (const entry of entries) {
      const name = [meta, truth].find((wanted) => entry.header.name.endsWith(`/${wanted}`));
      if (!name) {
        entry.resume();
        continue;
      }
      if ((entry.header.size ?? 0) > mostBytes) throw new Error(`${name} is too large to be the kit's`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      files.set(name, Buffer.concat(chunks));
      await turn();
    }
  } catch (cause) {
    throw new DataError({ file: path }, `cannot be unpacked (${(cause as Error).message})`, remedy, cause);
  }
  const missing = [meta, truth].find((name) => !files.has(name));
  if (missing) throw new DataError({ file: path }, `lacks ${missing}`, remedy);
  return files;
}
