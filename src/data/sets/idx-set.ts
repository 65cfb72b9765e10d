import { type DatasetDefinition, defineDataset } from "../define.js";
import type { RemoteFile } from "../download.js";
import { readIdx, readIdxLabels } from "../idx.js";
import { allocateImages, type Dataset, type ImageSet } from "../image-set.js";
import { type Found, type Layout, readParts } from "../parts.js";

/** What distinguishes one set in MNIST's files from another. */
export interface IdxSet {
  readonly name: string;
  readonly summary: string;
  readonly hub?: string;
  readonly classNames: readonly string[];
  readonly augment: DatasetDefinition["augment"];
  readonly trainCount: number;
  readonly testCount: number;
  /** The height and width of an image in pixels. */
  readonly size: number;
  /** The MD5 of each of the four files, unpacked: training images, training labels, test images, test labels. */
  readonly md5: readonly [string, string, string, string];
  readonly systemFolders?: readonly string[];
  readonly package?: string;
  readonly download: { readonly baseUrl: string; readonly files: readonly RemoteFile[] };
}

/** Defines a set of grey images in four IDX files with MNIST's names, each plain or .gz. */
export function idxSet(set: IdxSet): DatasetDefinition {
  const { name, summary, hub, augment, trainCount, testCount, size, md5 } = set;
  const layout: Layout = {
    parts: [
      { name: "train-images-idx3-ubyte", bytes: 16 + trainCount * size * size, md5: md5[0] },
      { name: "train-labels-idx1-ubyte", bytes: 8 + trainCount, md5: md5[1] },
      { name: "t10k-images-idx3-ubyte", bytes: 16 + testCount * size * size, md5: md5[2] },
      { name: "t10k-labels-idx1-ubyte", bytes: 8 + testCount, md5: md5[3] },
    ],
    remedy: `Get the file again: npx lyceum data fetch ${name}`,
  };
  const { systemFolders, package: debian, download } = set;
  return defineDataset({
    name,
    summary,
    ...(hub !== undefined && { hub }),
    augment,
    classCount: () => set.classNames.length,
    from: {
      layout,
      download,
      ...(systemFolders && { systemFolders }),
      ...(debian && { package: debian }),
      read: (found, _, wanted) => read(set, layout, found, wanted),
    },
  });
}

async function read(set: IdxSet, layout: Layout, found: Found, wanted: { test: boolean }): Promise<Dataset> {
  const { name, classNames, size } = set;
  const room = (part: string, count: number) => ({
    name: `${name} ${part}`,
    images: allocateImages(count * size * size),
    labels: new Int32Array(count),
    count,
    channels: 1,
    height: size,
    width: size,
    classNames,
  });
  const train: ImageSet = room("train", set.trainCount);
  const test: ImageSet = room("test", wanted.test ? set.testCount : 0);
  const parts = layout.parts.filter(({ name }) => wanted.test || name.startsWith("train"));
  await readParts({ ...layout, parts }, found, async (part, source) => {
    const into = part.name.startsWith("train") ? train : test;
    if (part.name.includes("images")) await readIdx(source, [into.count, size, size], into.images);
    else into.labels.set(await readIdxLabels(source, into.count, classNames.length));
  });
  return { name, train, test, classNames };
}
