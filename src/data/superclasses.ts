import { DataError } from "./data-error.js";

/** The images of one file, each labelled with a class and with the superclass that it belongs to. */
export interface LabelledTwice {
  /** The file, for messages. */
  file: string;
  /** [N], each 0 .. classes - 1 */
  classes: Int32Array;
  /** [N], each 0 or more */
  superclasses: Int32Array;
}

/**
 * Derives the superclass of each class from images that are labelled with both.
 *
 * @param classes the number of classes
 * @param remedy what a person can do about a damaged file, a sentence
 * @returns [classes], or undefined where there is no image of some class
 * @throws DataError, naming file and image, when two images of one class have different superclasses
 */
export function deriveSuperclasses(
  parts: readonly LabelledTwice[],
  classes: number,
  remedy: string,
): Int32Array | undefined {
  const known = new Int32Array(classes).fill(-1);
  for (const part of parts) {
    part.classes.forEach((label, image) => {
      const superclass = part.superclasses[image]!;
      if (known[label]! >= 0 && known[label] !== superclass) {
        const problem = `image ${image} of class ${label} has the superclass ${superclass}, others of its class have ${known[label]}`;
        throw new DataError({ file: part.file }, problem, remedy);
      }
      known[label] = superclass;
    });
  }
  return known.includes(-1) ? undefined : known;
}
