/** Which images train a classifier and which test it, and the folds by which its C is chosen. */
import { shuffled } from "../data/index.js";

/** Indices of images, ascending. */
export interface Split {
  train: Int32Array;
  test: Int32Array;
}

/** What stands after the seed in the keys of random sequences, so that none share their numbers. */
const draws = { shots: 101, folds: 102 } as const;

/** The images of each class in order, [classes]. */
function byClass(labels: Int32Array, classes: number): number[][] {
  const members: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, index) => {
    members[label]!.push(index);
  });
  return members;
}

/**
 * Draws so many images of each class. The draw depends on the labels, the seed and its own number alone, so that every
 * network is tried on the same images.
 *
 * @param shots images of each class
 * @param draw the number of the draw, from 0
 * @returns the images that were drawn to train, all others to test
 * @throws RangeError that names the class when it has fewer images
 */
export function drawShots(
  labels: Int32Array,
  {
    classNames,
    shots,
    seed,
    draw,
  }: { classNames: readonly string[]; shots: number; seed: number; draw: number },
): Split {
  const taken = new Uint8Array(labels.length);
  for (const [label, members] of byClass(labels, classNames.length).entries()) {
    if (members.length < shots)
      throw new RangeError(
        `${shots} images of each class were asked for, but class ${classNames[label]} has ${members.length} training images: ask for fewer shots`,
      );
    const drawn = shuffled(Int32Array.from(members), seed, draws.shots, draw, shots, label);
    for (const index of drawn.subarray(0, shots)) taken[index] = 1;
  }
  const all = Int32Array.from(labels.keys());
  return { train: all.filter((i) => taken[i]), test: all.filter((i) => !taken[i]) };
}

/**
 * Splits training images into folds in which each class has its share, within one image: stratified cross-validation. Each
 * fold is tested once by what the others train.
 *
 * @param folds the number asked for; as many as the smallest class has images where that is fewer
 * @throws RangeError that names the class when it has one image only, or none
 */
export function stratifiedFolds(
  labels: Int32Array,
  { classNames, folds, seed }: { classNames: readonly string[]; folds: number; seed: number },
): Split[] {
  const members = byClass(labels, classNames.length);
  const few = members.findIndex((each) => each.length < 2);
  if (few >= 0)
    throw new RangeError(
      `class ${classNames[few]} has ${members[few]!.length} training image${members[few]!.length === 1 ? "" : "s"}: ` +
        "cross-validation, which chooses C, needs 2 or more of each class",
    );
  const count = Math.min(folds, ...members.map((each) => each.length));
  const foldOf = new Int32Array(labels.length);
  // Where a class is no multiple of the folds, its last images go to other folds than the class before's.
  let next = 0;
  for (const [label, each] of members.entries())
    for (const index of shuffled(Int32Array.from(each), seed, draws.folds, label))
      foldOf[index] = next++ % count;
  const all = Int32Array.from(labels.keys());
  return Array.from({ length: count }, (_, fold) => ({
    train: all.filter((i) => foldOf[i] !== fold),
    test: all.filter((i) => foldOf[i] === fold),
  }));
}
