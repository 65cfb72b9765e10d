import { type Dataset, type ImageSet, subset } from "./image-set.js";
import { findDataset } from "./places.js";
import { datasetSource } from "./sets/index.js";
import type { DataSpec } from "./source.js";
import { stratifiedSample } from "./split.js";

/**
 * Reads a data set into memory, checking sizes, magic numbers, counts and labels.
 *
 * @throws DataError when the files are not there (it lists where they were looked for and how to get them) or
 *   damaged
 * @throws RangeError when the name is unknown or an option does not fit the set
 */
export async function loadDataset(spec: DataSpec): Promise<Dataset> {
  const { name, hasFamilies, from } = datasetSource(spec.name);
  if (spec.labels === "coarse" && !hasFamilies) {
    throw new RangeError(`${name} has one level of classes: labels "coarse" does not apply`);
  }
  const whole =
    "make" in from
      ? from.make(spec)
      : await from.read(await findDataset(name, from.layout, { ...from, root: spec.root }), spec);
  const { train, test } = spec.limit ?? {};
  const seed = spec.seed ?? 0;
  return { ...whole, train: limited(whole.train, train, seed), test: limited(whole.test, test, seed) };
}

function limited(set: ImageSet, limit: number | undefined, seed: number): ImageSet {
  if (limit === undefined || limit >= set.count) return set;
  return subset(set, stratifiedSample(set.labels, limit, seed));
}
