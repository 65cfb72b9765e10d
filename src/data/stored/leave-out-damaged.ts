import { DataError } from "../data-error.js";
import type { MakeOptions } from "../define.js";
import { type AnyDataset, type ImageSet, isStored, type StoredImages, subset } from "../image-set.js";
import { type DamagedImage, inspectImages } from "./inspect-images.js";

/** So many of the images that are left out are named; `npx lyceum data check` names all. */
const named = 5;

/**
 * Takes the images out of a set that cannot be decoded, and says in its notes which they are.
 *
 * @throws DataError when a class would be left without training images; the signal's reason when it is aborted
 */
export async function leaveOutDamaged(dataset: AnyDataset, options: MakeOptions): Promise<AnyDataset> {
  const damaged: (DamagedImage & { label: number })[] = [];
  const whole = async (set: ImageSet | StoredImages) => {
    if (!isStored(set) || set.count === 0) return set;
    const found = await inspectImages(set, options);
    if (found.damaged.length === 0) return set;
    damaged.push(...found.damaged.map((image) => ({ ...image, label: set.labels[image.index]! })));
    const bad = new Set(found.damaged.map(({ index }) => index));
    return subset(
      set,
      Int32Array.from(set.labels.keys()).filter((index) => !bad.has(index)),
    );
  };
  const train = await whole(dataset.train);
  const test = await whole(dataset.test);
  if (damaged.length === 0) return dataset;
  const left = new Set(train.labels);
  const empty = [...new Set(dataset.train.labels)].find((label) => !left.has(label));
  if (empty !== undefined)
    throw new DataError(
      { file: train.name },
      `all training images of the class ${dataset.classNames[empty]} are damaged, such as ` +
        damaged.find(({ label }) => label === empty)!.name,
      "`npx lyceum data check` names them",
    );
  const first = damaged.slice(0, named).map(({ name, problem }) => `${name} ${problem}`);
  const more = damaged.length > named ? ` and ${damaged.length - named} others` : "";
  const note = `${damaged.length} damaged images are left out (data.damaged: skip): ${first.join("; ")}${more}`;
  return { ...dataset, train, test, notes: [...(dataset.notes ?? []), note] };
}
