import { existsSync, readFileSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { DataError } from "../data-error.js";
import { type DataSpec, defineDataset, type MakeOptions } from "../define.js";
import type { AnyDataset } from "../image-set.js";
import { expandBraces } from "../stored/brace-pattern.js";
import { photoAugment, photoNormalisation, storedImages, storedOptions } from "../stored/options.js";
import type { ImagePlaces } from "../stored/places.js";
import { isRemote } from "../stored/remote.js";
import { indexShard, type ShardIndex } from "../stored/shard-index.js";
import { joinTexts, TextListBuilder } from "../stored/text-list.js";

export const shards = defineDataset({
  name: "shards",
  summary: "WebDataset shards, on disk or on a web server: tar files of samples, each KEY.jpg and KEY.cls",
  options: (z) => {
    const pattern = (part: string) =>
      z
        .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
        .exactOptional()
        .describe(
          `Of shards: the ${part} shards, paths or addresses: a pattern such as ${part}-{0000..0146}.tar or a list of them, from data.root where it is given. Default: none, it must be given.`,
        );
    return {
      ...storedOptions(z),
      train: pattern("training"),
      test: pattern("test"),
      classNames: z
        .string()
        .min(1)
        .exactOptional()
        .describe("Of shards: a text file with a class's name a line, from class 0. Default: the numbers."),
    };
  },
  augment: photoAugment,
  from: { where: "where data.train and data.test say", make: (spec, options) => openShards(spec, options) },
});

/**
 * Lists the samples of shards, which are read in place.
 *
 * @throws DataError that names the shard or the sample that is missing, damaged or without a class
 */
async function openShards(spec: DataSpec, options: MakeOptions): Promise<AnyDataset> {
  const root = isRemote(spec.root ?? "") ? spec.root! : resolve(spec.root ?? ".");
  const train = await partOf(root, "train", spec.train, options);
  const test = await partOf(root, "test", spec.test, options);
  const classes = 1 + Math.max(largest(train.labels), largest(test.labels));
  if (classes > mostClasses)
    throw new DataError(
      { file: root },
      `a sample is of class ${classes - 1}, and classes are numbered from 0 to ${mostClasses - 1} at most`,
      "Number the classes without gaps",
    );
  const classNames = namesOf(root, spec.classNames as string | undefined, classes);
  const present = new Set(train.labels);
  const absent = classNames.filter((_, label) => !present.has(label));
  return {
    name: "shards",
    train: storedImages(spec, { name: "training shards", ...train, classNames }),
    test: storedImages(spec, { name: "test shards", ...test, classNames }),
    classNames,
    normalisation: photoNormalisation,
    ...(absent.length > 0 && {
      notes: [
        `no training image is of ${absent.length} of the ${classNames.length} classes, such as ${absent[0]}`,
      ],
    }),
  };
}

/** More than any set of images has. */
const mostClasses = 100_000;

/** The path of a file in a folder, or its address on a web server. */
function placeOf(root: string, path: string): string {
  if (isRemote(path)) return path;
  return isRemote(root) ? `${root.replace(/\/$/, "")}/${path}` : resolve(root, path);
}

const largest = (labels: Int32Array) => labels.reduce((most, label) => Math.max(most, label), 0);

async function partOf(
  root: string,
  part: "train" | "test",
  given: unknown,
  { signal, onProgress }: MakeOptions,
): Promise<{ places: ImagePlaces; labels: Int32Array }> {
  if (given === undefined)
    throw new DataError(
      { file: "shards" },
      `data.${part} does not say which the ${part === "train" ? "training" : "test"} shards are`,
      `Give a pattern, such as ${part}: shards/${part}-{0000..0009}.tar`,
    );
  const paths = [given as string | string[]]
    .flat()
    .flatMap(expandBraces)
    .map((path) => placeOf(root, path));
  if (new Set(paths.map(isRemote)).size > 1)
    throw new DataError(
      { file: "shards" },
      `data.${part} names files and addresses together`,
      "Give one or the other",
    );
  const indices: ShardIndex[] = [];
  for (const path of paths) {
    indices.push(await indexShard(path, signal));
    onProgress?.({ done: indices.length, total: paths.length, doing: "listing shards" });
    await turn();
    signal?.throwIfAborted();
  }
  const files = new TextListBuilder();
  // Paths from the root, so that the set has the same checksum wherever it lies.
  for (const path of paths) files.add(isRemote(path) ? path : relative(root, path));
  const count = indices.reduce((sum, { labels }) => sum + labels.length, 0);
  if (count === 0)
    throw new DataError({ file: paths[0]! }, "holds no samples", "Give shards with images and classes");
  const fileOf = new Int32Array(count);
  const offsets = new Float64Array(count);
  const lengths = new Float64Array(count);
  const labels = new Int32Array(count);
  let start = 0;
  indices.forEach((index, shard) => {
    const end = start + index.labels.length;
    fileOf.fill(shard, start, end);
    offsets.set(index.offsets, start);
    lengths.set(index.lengths, start);
    labels.set(index.labels, start);
    start = end;
  });
  return {
    labels,
    places: {
      ...{ root: isRemote(root) ? "/" : root, files: files.finish(), fileOf, offsets, lengths },
      sizes: Float64Array.from(indices, ({ size }) => size),
      times: Float64Array.from(indices, ({ time }) => time),
      members: joinTexts(indices.map(({ names }) => names)),
    },
  };
}

function namesOf(root: string, path: string | undefined, classes: number): string[] {
  if (path === undefined) return Array.from({ length: classes }, (_, i) => String(i));
  const file = resolve(isRemote(root) ? "." : root, path);
  if (!existsSync(file)) throw new DataError({ file }, "is not there", "Check data.classNames");
  if (statSync(file).size > 1 << 20)
    throw new DataError({ file }, "is too long for a list of classes", "Check data.classNames");
  const names = readFileSync(file, "utf8").trimEnd().split(/\r?\n/);
  const doubled = names.find(
    (name, i) => name.trim() === "" || (i > 0 && names.lastIndexOf(name, i - 1) >= 0),
  );
  if (doubled !== undefined)
    throw new DataError(
      { file },
      `names ${JSON.stringify(doubled)} twice, or has an empty line`,
      "Give each class a name of its own",
    );
  if (names.length >= classes) return names;
  throw new DataError(
    { file },
    `names ${names.length} classes, but a sample is of class ${classes - 1}`,
    "Add the names that are missing",
  );
}
