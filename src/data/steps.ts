/** How an epoch's images fall into batches. */

export interface BatchPlan {
  batchSize: number;
  /** Leave out the last batch when it is not full. Default false. */
  dropLast?: boolean | undefined;
  /**
   * When the last batch would be one image alone, add the image to the batch before it, which then has batchSize +
   * 1 images. Batch norm cannot normalise a single value a channel, so a network that ends in 1 x 1 pixels cannot
   * train on a lone image. With a batch size of 1, or only one image in all, a lone image is what was asked for,
   * and stays. Default false; training sets it, evaluation needs it not.
   */
  joinLoneLast?: boolean | undefined;
}

/**
 * The images that an epoch goes through, and in how many steps.
 *
 * @param images how many there are, 0 or more
 */
export function planSteps(
  images: number,
  { batchSize, dropLast = false, joinLoneLast = false }: BatchPlan,
): { size: number; steps: number } {
  const whole = Math.floor(images / batchSize);
  const rest = images - whole * batchSize;
  if (dropLast) return { size: whole * batchSize, steps: whole };
  const joins = joinLoneLast && rest === 1 && whole > 0;
  return { size: images, steps: rest === 0 || joins ? whole : whole + 1 };
}
