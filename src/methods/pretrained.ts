import { sha256OfFile } from "../sha256.js";
import { defineMethod } from "./define.js";
import { strict } from "./strict.js";
import {
  completeWeights,
  fileOf,
  missing,
  sha256Option,
  weightsInWords,
  weightsProblems,
  weightsShape,
} from "./weights-options.js";

/** The method of a patriarch that is not trained: its weights are those of a file. */
export const pretrained = defineMethod({
  name: "pretrained",
  summary: "Weights of one's own, of another program or of an earlier run; they are not trained.",
  formula: "none",
  terms: strict.terms,
  options: (z) => ({
    ...weightsShape(z),
    classes: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        "A text file with the names of the file's classes, one a line in the order of its logits. The images' classes are " +
          "looked up in it, and the network keeps their logits alone, in the images' order. Default: the file's classes are " +
          "the images'.",
      ),
    classesSha256: sha256Option(
      z,
      "The SHA-256 of that list, to which it is held. Default: that of the list at hand.",
    ),
  }),
  epochs: () => 0,
  weights: (options) => ({ ...options, file: fileOf(options) }),
  // It is never computed, since there are no steps.
  loss: (input) => strict.loss(input, {}),
  check: (options) => {
    const { classes, classesSha256 } = options;
    const problems = weightsProblems(options);
    if (problems.length > 0 || classes === undefined || classesSha256 !== undefined) return problems;
    return missing(classes, "classes");
  },
  complete: (options) => {
    const { classes, classesSha256 } = options;
    const list =
      classes === undefined ? {} : { classes, classesSha256: classesSha256 ?? sha256OfFile(classes) };
    return { ...completeWeights(options), ...list };
  },
  describe: (options) => `not trained: ${weightsInWords(options)}`,
});
