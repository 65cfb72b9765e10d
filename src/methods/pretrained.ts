import { join } from "node:path";
import type { OptionProblem } from "../options.js";
import { sha256OfFile } from "../sha256.js";
import { defineMethod } from "./define.js";
import { strict } from "./strict.js";

/** The options as a recipe gives them: either weights, or a run with one of its generations. */
interface Options {
  weights?: string;
  run?: string;
  generation?: number;
  sha256?: string;
}

/** The weights file that the options name. The layout of a run folder is that of docs/run-folder.md. */
function fileOf({ weights, run, generation = 0 }: Options): string {
  return weights ?? join(run!, `generation-${generation}`, "weights.safetensors");
}

/** The method of a patriarch that is not trained: its weights are those of a file. */
export const pretrained = defineMethod({
  name: "pretrained",
  summary: "Weights of one's own, or of an earlier run; they are not trained.",
  formula: "none",
  terms: strict.terms,
  options: (z) => ({
    weights: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        "A safetensors file with the network's tensors, by the names of docs/networks.md. The images are normalised by the " +
          "statistics of this recipe's training images. Default: the file of a run, which is then given.",
      ),
    run: z
      .string()
      .min(1)
      .exactOptional()
      .describe("The folder of an earlier run, given instead of weights."),
    generation: z
      .int()
      .min(0)
      .max(9999)
      .exactOptional()
      .describe("The generation of that run whose weights are taken. Default: 0, its patriarch."),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .exactOptional()
      .describe(
        "The SHA-256 of the file, in hexadecimal, to which the weights are held. Default: that of the file at hand; it " +
          "becomes part of the recipe that a run stores.",
      ),
  }),
  epochs: () => 0,
  weights: (options) => ({ file: fileOf(options), sha256: options.sha256! }),
  // It is never computed, since there are no steps.
  loss: (input) => strict.loss(input, {}),
  check: (options) => {
    const { weights, run, generation, sha256 } = options;
    if (weights === undefined && run === undefined)
      return [{ message: "needs weights, the path of a file, or run, the folder of an earlier run" }];
    if (weights !== undefined && run !== undefined)
      return [{ message: "weights and run are both given: give one of them" }];
    if (weights !== undefined && generation !== undefined)
      return [{ key: "generation", message: "is a generation of a run: weights are a file" }];
    // Whether the file is still that one is checked where it is loaded: a finished run does not need it any more.
    return sha256 === undefined ? problemsOf(options) : [];
  },
  complete: (options) => ({
    weights: fileOf(options),
    sha256: options.sha256 ?? sha256OfFile(fileOf(options)),
  }),
  describe: (options) =>
    `not trained: the weights in ${fileOf(options)}${options.sha256 ? ` (SHA-256 ${options.sha256.slice(0, 12)}…)` : ""}`,
});

function problemsOf(options: Options): OptionProblem[] {
  try {
    sha256OfFile(fileOf(options));
    return [];
  } catch (error) {
    return [{ key: options.run === undefined ? "weights" : "run", message: (error as Error).message }];
  }
}
