import { type AnyDataset, checksumOf, loadDataset } from "../data/index.js";
import { type Images, prepareImages } from "../generations/index.js";
import type { Library, Recipe } from "../recipe/index.js";

/** The SHA-256 of the pixels and labels of each part. */
export interface Checksums {
  train: string;
  test?: string;
}

interface Read {
  dataset: AnyDataset;
  checksums: Checksums;
}

/** The sets that were read so far, by what the recipes say of them. */
export type StudyImages = Map<string, Promise<Read>>;

interface Wanted {
  library: Library;
  test: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Gives the images of a recipe, split as its seed says.
 *
 * @throws as `prepareImages` does
 */
export async function imagesFor(
  known: StudyImages,
  recipe: Recipe,
  { library, test, signal }: Wanted,
): Promise<{ split: Images; checksums: Checksums }> {
  const { heldOut, ...spec } = recipe.data;
  const key = JSON.stringify([spec, test]);
  let read = known.get(key);
  if (!read) {
    read = (async () => {
      const definition = library.get("dataset", spec.name);
      const dataset = await loadDataset(spec, { definition, test, signal });
      const checksums: Checksums = { train: checksumOf(dataset.train) };
      if (test) checksums.test = checksumOf(dataset.test);
      return { dataset, checksums };
    })();
    known.set(key, read);
    // A failure is not kept: the files may be there at the next try.
    read.catch(() => known.delete(key));
  }
  const { dataset, checksums } = await read;
  return { split: await prepareImages(recipe, { library, dataset, test }), checksums };
}
