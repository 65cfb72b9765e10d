import { checkDataset } from "./check-set.js";
import { checkOptions, type DataSpec, type DatasetDefinition, type MakeOptions } from "./define.js";
import {
  type AnyDataset,
  type Dataset,
  type ImageSet,
  isStored,
  noImages,
  type StoredImages,
  subset,
} from "./image-set.js";
import { findDataset } from "./places.js";
import { datasetNamed } from "./sets/index.js";
import { stratifiedSample } from "./split.js";
import { withDecodedCache } from "./stored/decoded-cache.js";
import { leaveOutDamaged } from "./stored/leave-out-damaged.js";

export interface LoadOptions extends MakeOptions {
  /** The set, where it is not one of Lyceum's own that `spec.name` names. */
  definition?: DatasetDefinition | undefined;
  /**
   * Whether the test images are read. Without them the set's `test` holds no images; a set that code makes may
   * make them all the same, and they are then dropped. Default: true.
   */
  test?: boolean | undefined;
}

/** Lyceum's own sets whose images lie in files, and those whose images are in memory. */
type InFiles = "folder" | "imagenet" | "shards";
type InMemory = "fashion-mnist" | "mnist" | "cifar10" | "cifar100" | "synthetic";

/** What is known of a set's images from its name. */
export type LoadedDataset<Name extends string> = Name extends InMemory
  ? Dataset
  : Name extends InFiles
    ? Dataset<StoredImages>
    : AnyDataset;

/**
 * Reads a data set into memory, or lists its images where they lie in files, checking sizes, magic numbers, counts and labels, or makes it.
 *
 * @throws DataError when the files are not there (it lists where they were looked for and how to get them) or
 *   damaged
 * @throws RangeError when the name is unknown or an option does not fit the set
 * @throws the signal's reason when it is aborted while a set is drawn
 */
export function loadDataset<const Spec extends DataSpec>(
  spec: Spec,
  options: LoadOptions = {},
): Promise<LoadedDataset<Spec["name"]>> {
  return load(spec, options) as Promise<LoadedDataset<Spec["name"]>>;
}

async function load(
  spec: DataSpec,
  { definition = datasetNamed(spec.name), test: wanted = true, ...making }: LoadOptions,
): Promise<AnyDataset> {
  const { name, from } = definition;
  const checked = checkOptions(definition, spec);
  const whole: AnyDataset =
    "make" in from
      ? await from.make(checked, making)
      : await from.read(await findDataset(name, from.layout, { ...from, root: spec.root }), checked, {
          test: wanted,
        });
  checkDataset(name, whole);
  const { train, test } = spec.limit ?? {};
  const seed = spec.seed ?? 0;
  const chosen = limited(whole.train, train, seed);
  const limitedSet = {
    ...whole,
    train: chosen,
    test: wanted ? limited(whole.test, test, seed) : noImages(chosen),
  };
  const sound = checked.damaged === "skip" ? await leaveOutDamaged(limitedSet, making) : limitedSet;
  return checked.cache === undefined ? sound : await cached(sound, checked, making);
}

/** Puts images in files into a cache of decoded ones. */
async function cached(
  dataset: AnyDataset,
  { cache, cacheSide }: DataSpec,
  making: MakeOptions,
): Promise<AnyDataset> {
  const through = async (set: ImageSet | StoredImages) => {
    if (!isStored(set)) return set;
    const folder = cache === true ? undefined : (cache as string);
    return await withDecodedCache(set, {
      ...making,
      folder,
      side: (cacheSide as number | undefined) ?? set.resize,
    });
  };
  return { ...dataset, train: await through(dataset.train), test: await through(dataset.test) };
}

function limited<S extends ImageSet | StoredImages>(set: S, limit: number | undefined, seed: number): S {
  if (limit === undefined || limit >= set.count) return set;
  return subset(set, stratifiedSample(set.labels, limit, seed));
}
