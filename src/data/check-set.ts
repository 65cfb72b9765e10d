import { type AnyDataset, type ImageSet, isStored, type StoredImages } from "./image-set.js";

/**
 * Checks images that come from a caller's code: with too few labels, say, images would train as class 0 unnoticed.
 *
 * @param classes the number of classes that the data set names
 * @throws TypeError that names the set and what does not fit
 */
export function checkImageSet(set: ImageSet | StoredImages, classes: number): void {
  const { name, labels, count, channels, height, width } = set;
  const refuse = (problem: string) => {
    throw new TypeError(`the images of ${name}: ${problem}`);
  };
  const sizes = { count, channels, height, width };
  for (const [size, value] of Object.entries(sizes))
    if (!(Number.isInteger(value) && value >= 1)) refuse(`${size} must be 1 or more, got ${value}`);
  if (!isStored(set)) {
    const { images } = set;
    if (!(images instanceof Uint8Array)) refuse("the pixels must be bytes, in a Uint8Array");
    const bytes = count * channels * height * width;
    if (images.length !== bytes)
      refuse(`${count}x${channels}x${height}x${width} need ${bytes} bytes, got ${images.length}`);
  } else if (set.places.fileOf.length !== count)
    refuse(`there are ${count}, but the places of ${set.places.fileOf.length}`);
  if (labels.length !== count) refuse(`there are ${count}, but ${labels.length} labels`);
  const wrong = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (wrong >= 0) refuse(`label ${labels[wrong]} of image ${wrong} is not in 0..${classes - 1}`);
}

/**
 * @param value what a program made or handed over as a data set
 * @throws TypeError that names the set and what it lacks
 */
export function checkDataset(name: string, value: unknown): asserts value is AnyDataset {
  const { train, test, classNames, superclasses } = (value ?? {}) as Partial<AnyDataset>;
  const isText = (one: unknown) => typeof one === "string";
  const lacks = [
    ...(typeof train === "object" && train !== null ? [] : ["train"]),
    ...(typeof test === "object" && test !== null ? [] : ["test"]),
    ...(Array.isArray(classNames) && classNames.every(isText) ? [] : ["classNames, a list of texts"]),
  ];
  if (lacks.length > 0) throw new TypeError(`the data set ${name} lacks ${lacks.join(" and ")}`);
  if (superclasses !== undefined) checkSuperclasses(name, superclasses, classNames!.length);
}

function checkSuperclasses(name: string, superclasses: unknown, classes: number): void {
  if (!(superclasses instanceof Int32Array && superclasses.length === classes))
    throw new TypeError(
      `the data set ${name}: superclasses must be an Int32Array with one number for each of the ${classes} classes`,
    );
  const wrong = superclasses.findIndex((superclass) => superclass < 0);
  if (wrong >= 0)
    throw new TypeError(
      `the data set ${name}: the superclass of class ${wrong} must be 0 or more, got ${superclasses[wrong]}`,
    );
}
