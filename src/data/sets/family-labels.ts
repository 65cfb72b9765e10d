import type { ZodType } from "zod";
import type { Z } from "../../packages.js";

/** Whose labels a set with two levels of classes gives. */
export type FamilyLabels = "fine" | "coarse";

/** The option of sets whose classes form families. */
export const familyLabels = (z: Z): { labels: ZodType<FamilyLabels | undefined> } => ({
  labels: z
    .enum(["fine", "coarse"])
    .exactOptional()
    .describe(
      "Of CIFAR-100 and the synthetic set: the classes or the families that they form. Default: fine.",
    ),
});
