import { type MixOptions, policies } from "../data/index.js";
import type { Z } from "../packages.js";
import { choiceOf } from "./choice.js";
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
  const range = (bound: ReturnType<typeof z.number>) =>
    z
      .tuple([bound, bound])
      .refine(([low, high]) => low <= high, { error: "must be two numbers, the smaller first" });
  const erase = z
    .strictObject({
      probability: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe("The fraction of the images that lose a rectangle."),
      area: range(z.number().min(0).max(1))
        .default([0.02, 0.33])
        .describe("The smallest and the largest area of the rectangle, as fractions of the image's."),
      aspect: range(z.number().gt(0).max(100))
        .default([0.3, 3.3])
        .describe("The smallest and the largest height over width; their logarithms are equally likely."),
      fill: z
        .enum(["zero", "noise"])
        .default("zero")
        .describe("zero is the mean of the training images; noise is a random byte for each value."),
    })
    .describe(
      "Random erasing: a rectangle of an image is overwritten, and the label stays as it is (Zhong et al. 2020). Default: none.",
    );
  const policy = choiceOf(z, { tag: "name", members: policies }).describe(
    "Random operations on the images' bytes, before they are cropped; labels stay as they are. randaugment: some " +
      "operations, all of one strength (Cubuk et al. 2020). trivialaugment: one of any strength (Müller and Hutter 2021). " +
      "Strengths are torchvision's; on grey images the change of colour does nothing. Default: none.",
  );
  const resizedCrop = z
    .strictObject({
      area: range(z.number().gt(0).max(1))
        .default([0.08, 1])
        .describe("The smallest and the largest area of the box, as fractions of the image's."),
      aspect: range(z.number().min(0.01).max(100))
        .default([3 / 4, 4 / 3])
        .describe("The smallest and the largest width over height; their logarithms are equally likely."),
    })
    .describe("A box of random size and shape (Szegedy et al. 2015, section 6).");
  const most = (bound: number, description: string) =>
    z.number().min(0).max(bound).exactOptional().describe(`${description} Default: 0.`);
  const jitter = z
    .strictObject({
      brightness: most(100, "Brightness is multiplied by a factor from 1 - this, at least 0, to 1 + this."),
      contrast: most(100, "The same of the distance to the image's mean grey."),
      saturation: most(100, "The same of the distance of each pixel to its grey; nothing for grey images."),
      hue: most(
        0.5,
        "The hue is turned by up to this fraction of a circle, either way; nothing for grey images.",
      ),
    })
    .describe(
      "Colour jitter: brightness, contrast, saturation and hue change at random, in random order, as torchvision's ColorJitter " +
        "changes images of PIL. Default: none.",
    );
  return z.strictObject({
    jitter: jitter.exactOptional(),
    policy: policy.exactOptional(),
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
    resizedCrop: z
      .union([z.literal(false), resizedCrop])
      .exactOptional()
      .describe(
        "Of images in files: cut out a box of random size and shape and resize it to what the network sees, before all else " +
          "(torchvision's RandomResizedCrop); false takes the middle, as evaluation does. Default: its defaults for photographs.",
      ),
    erase: erase.exactOptional(),
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
type Unfilled = Pick<NonNullable<RecipeInput["augment"]>, "mixup" | "cutmix">;

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
