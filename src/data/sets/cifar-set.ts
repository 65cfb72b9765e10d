import { cifarImageBytes, readCifarRecords } from "../cifar-records.js";
import { parseClassNames } from "../class-names.js";
import { type DataSpec, type DatasetDefinition, defineDataset } from "../define.js";
import type { RemoteFile } from "../download.js";
import { allocateImages, type Dataset, type ImageSet } from "../image-set.js";
import { type Found, type Layout, readParts } from "../parts.js";
import { deriveSuperclasses, type LabelledTwice } from "../superclasses.js";
import { familyLabels } from "./family-labels.js";

/** The classes that one label byte of a record distinguishes. */
export interface LabelLevel {
  readonly names: readonly string[];
  /** The text file of the official archive that lists the names; it is believed where it is there. */
  readonly file: string;
}

/** What distinguishes CIFAR-10 from CIFAR-100. */
export interface CifarSet {
  readonly name: string;
  readonly summary: string;
  readonly hub?: string;
  /** The classes of each label byte, in the record's order; the last is the fine one. */
  readonly levels: readonly LabelLevel[];
  /** The training files, in order, with the number of images in each. */
  readonly trainFiles: readonly { name: string; count: number; md5: string }[];
  readonly testFile: { name: string; count: number; md5: string };
  readonly folder: string;
  readonly baseUrl: string;
  readonly archive: RemoteFile;
}

/** Defines a set of colour images of 32 x 32 in CIFAR's official binary layout. */
export function cifarSet(set: CifarSet): DatasetDefinition {
  const { name, summary, hub, levels, folder, baseUrl, archive } = set;
  const layout: Layout = {
    parts: [...set.trainFiles, set.testFile].map(({ name, count, md5 }) => ({
      name,
      bytes: count * (levels.length + cifarImageBytes),
      md5,
    })),
    texts: levels.map(({ file }) => file),
    folder,
    archive: archive.name,
    remedy: `Get the set again: npx lyceum data fetch ${name}`,
  };
  return defineDataset({
    name,
    summary,
    ...(hub !== undefined && { hub }),
    ...(levels.length > 1 && { options: familyLabels }),
    classCount: (spec) => levelOf(set, spec).names.length,
    augment: { crop: true, flip: true },
    from: {
      layout,
      download: { baseUrl, files: [archive] },
      read: (found, spec, wanted) => read(set, layout, found, spec, wanted),
    },
  });
}

/** The label byte whose classes are asked for. */
function levelOf({ levels }: CifarSet, { labels }: DataSpec): LabelLevel {
  return levels[labels === "coarse" ? 0 : levels.length - 1]!;
}

async function read(
  set: CifarSet,
  layout: Layout,
  found: Found,
  spec: DataSpec,
  wanted: { test: boolean },
): Promise<Dataset> {
  const { name, levels, trainFiles, testFile } = set;
  const trainCount = trainFiles.reduce((sum, { count }) => sum + count, 0);
  const room = (count: number) => ({
    images: allocateImages(count * cifarImageBytes),
    labels: levels.map(() => new Int32Array(count)),
  });
  const train = room(trainCount);
  const test = room(wanted.test ? testFile.count : 0);
  const parts = layout.parts.filter(({ name }) => wanted.test || name !== testFile.name);
  const classes = levels.map(({ names }) => names.length);
  const texts = await readParts({ ...layout, parts }, found, async (part, source) => {
    if (part.name === testFile.name) return readCifarRecords(source, classes, test);
    const index = trainFiles.findIndex(({ name }) => name === part.name);
    const from = trainFiles.slice(0, index).reduce((sum, { count }) => sum + count, 0);
    const to = from + trainFiles[index]!.count;
    await readCifarRecords(source, classes, {
      images: train.images.subarray(from * cifarImageBytes, to * cifarImageBytes),
      labels: train.labels.map((level) => level.subarray(from, to)),
    });
  });
  const level = levels.indexOf(levelOf(set, spec));
  const { names, file } = levels[level]!;
  const text = texts.get(file);
  const classNames = text === undefined ? names : parseClassNames(text, names.length, file, layout.remedy);
  const finish = (part: string, { images, labels }: typeof train): ImageSet => ({
    name: `${name} ${part}`,
    images,
    labels: labels[level]!,
    count: labels[level]!.length,
    channels: 3,
    height: 32,
    width: 32,
    classNames,
  });
  const superclasses = level > 0 ? superclassesOf(set, level, { train, test }, layout.remedy) : undefined;
  return {
    name,
    train: finish("train", train),
    test: finish("test", test),
    classNames,
    ...(superclasses && { superclasses }),
  };
}

/** The labels of the images of one part, a list for each level. */
interface Labelled {
  labels: readonly Int32Array[];
}

/** Derives which class of the first level each class of another level belongs to. */
function superclassesOf(
  { levels, trainFiles, testFile }: CifarSet,
  level: number,
  { train, test }: { train: Labelled; test: Labelled },
  remedy: string,
): Int32Array | undefined {
  const within = ({ labels }: Labelled, file: string, from: number, count: number): LabelledTwice => ({
    file,
    classes: labels[level]!.subarray(from, from + count),
    superclasses: labels[0]!.subarray(from, from + count),
  });
  const starts = trainFiles.map((_, i) => trainFiles.slice(0, i).reduce((sum, { count }) => sum + count, 0));
  const parts = [
    ...trainFiles.map(({ name, count }, i) => within(train, name, starts[i]!, count)),
    within(test, testFile.name, 0, testFile.count),
  ];
  return deriveSuperclasses(parts, levels[level]!.names.length, remedy);
}
