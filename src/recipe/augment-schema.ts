import type { MixOptions } from "../data/index.js";
import type { Z } from "../packages.js";
import type { Recipe, RecipeInput } from "./types.js";

/**
 * Makes the schema of a recipe's `augment`. Keys that came after the first version are absent where they are not given,
 * so that a recipe without them is written out as it ever was.
 */
export function augmentSchema(z: Z) {
  const mixing = (what: string, source: string) =>
    z
      .strictObject({
        alpha: z
          .number()
          .gt(0)
          .max(100)
          .default(1)
          .describe(
            "A batch's weight is drawn from Beta(alpha, alpha); the smaller, the less images are mixed.",
          ),
        probability: z
          .number()
          .min(0)
          .max(1)
          .exactOptional()
          .describe(
            "The fraction of the batches that are mixed in this way. Default: 1, or 0.5 where mixup and cutmix are both given.",
          ),
      })
      .describe(`${what} (${source}). Default: none.`);
  return z.strictObject({
    crop: z
      .int()
      .min(0)
      .max(64)
      .exactOptional()
      .describe(
        "Pixels of padding around the image before a random crop. Default: 4, or 0 for a data set whose labels do not " +
          "survive it.",
      ),
    flip: z
      .boolean()
      .exactOptional()
      .describe(
        "Mirror half of the images left to right, at random. Default: true, or false for a data set whose labels do not " +
          "survive it, such as digits.",
      ),
    mixup: mixing(
      "Mixup: each image becomes the weighted mean of two images of the batch, and is trained on the labels of both, " +
        "weighted alike",
      "Zhang et al. 2018",
    ).exactOptional(),
    cutmix: mixing(
      "CutMix: a rectangle of each image comes from another image of the batch, and it is trained on the labels of " +
        "both, weighted by their areas",
      "Yun et al. 2019",
    ).exactOptional(),
  });
}

/** The keys of `augment` before the fractions of batches that are mixed are filled in. */
type Unfilled = NonNullable<RecipeInput["augment"]>;

/**
 * Finds what in a recipe's `augment` does not fit together, by the path of the key in it.
 *
 * @param augment as it was written, where its own schema has found a fault
 */
export function augmentProblems(augment: Unfilled | undefined): { path: string[]; message: string }[] {
  const { mixup, cutmix } = mixingOf(augment ?? {});
  const sum = Number(mixup?.probability ?? 0) + Number(cutmix?.probability ?? 0);
  if (!(sum > 1)) return [];
  const message =
    `is ${mixup?.probability}, and that of cutmix ${cutmix?.probability}: a batch is mixed once, so that both must sum ` +
    "to 1 at most";
  return [{ path: ["mixup", "probability"], message }];
}

/** Gives the ways of mixing with the fraction of batches that each is used on. */
export function mixingOf({ mixup, cutmix }: Unfilled): Pick<Recipe["augment"], "mixup" | "cutmix"> {
  const filled = (way: Partial<MixOptions>) =>
    ({ ...way, probability: way.probability ?? (mixup && cutmix ? 0.5 : 1) }) as MixOptions;
  return { ...(mixup && { mixup: filled(mixup) }), ...(cutmix && { cutmix: filled(cutmix) }) };
}
