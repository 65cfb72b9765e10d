/** The options that name the weights with which a network begins: those of a file, or of a generation of an earlier run. */
import { join } from "node:path";
import type { OptionProblem, Z } from "../options.js";
import { sha256OfFile } from "../sha256.js";

/** How images are normalised: by numbers of each channel, as fractions of 255, or by a name that stands for them. */
export type NormalisationChoice = "imagenet" | "images" | { mean: number[]; std: number[] };

/** The options as a recipe gives them: either weights, or a run with one of its generations. */
export interface WeightsOptions {
  weights?: string;
  run?: string;
  generation?: number;
  sha256?: string;
  normalisation?: NormalisationChoice;
}

/** The weights with which a network begins. */
export interface FirstWeights {
  file: string;
  /** The SHA-256 to which the file is held, in hexadecimal. Default: it is held to none. */
  sha256?: string | undefined;
  /**
   * How the network wants its images: as ImageNet's are normalised, as this recipe's training images are, or by the given
   * numbers. Default: as the file says, if it does; else as this recipe's are.
   */
  normalisation?: NormalisationChoice | undefined;
  /** A text file with the names of the file's classes, one a line in the order of the logits. */
  classes?: string | undefined;
  /** The SHA-256 of that list, to which it is held. */
  classesSha256?: string | undefined;
}

/** Makes the schemas of the options. */
export const weightsShape = (z: Z) => ({
  weights: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      "A file with the network's tensors, by torchvision's names (docs/networks.md) or timm's: safetensors, or what torch.save " +
        "wrote (.pt, .pth), of which nothing is run. Default: the file of a run, which is then given.",
    ),
  run: z.string().min(1).exactOptional().describe("The folder of an earlier run, given instead of weights."),
  generation: z
    .int()
    .min(0)
    .max(9999)
    .exactOptional()
    .describe("The generation of that run whose weights are taken. Default: 0, its patriarch."),
  sha256: sha256Option(
    z,
    "The SHA-256 of the file, in hexadecimal, to which the weights are held. Default: that of the file at hand; it becomes " +
      "part of the recipe that a run stores.",
  ),
  normalisation: z
    .union([
      z.enum(["imagenet", "images"]),
      z.strictObject({
        mean: z.array(z.number()).min(1).max(4096).describe("One number a channel, a fraction of 255."),
        std: z
          .array(z.number().positive())
          .min(1)
          .max(4096)
          .describe("One number a channel, a fraction of 255."),
      }),
    ])
    .exactOptional()
    .describe(
      "How the network wants its images: imagenet, as torchvision's networks do; images, by the statistics of this recipe's " +
        "training images; or by a mean and a std of each channel. Its images are then normalised so, whatever those of other " +
        "generations are. Default: as the file says, which those of Lyceum do; else images.",
    ),
});

/** Makes the schema of a SHA-256. */
export const sha256Option = (z: Z, description: string) =>
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional()
    .describe(description);

/** The weights file that the options name. The layout of a run folder is that of docs/run-folder.md. */
export function fileOf({ weights, run, generation = 0 }: WeightsOptions): string {
  return weights ?? join(run!, `generation-${generation}`, "weights.safetensors");
}

/** Finds what in the options does not fit together, and whether the file is there. */
export function weightsProblems(options: WeightsOptions): OptionProblem[] {
  const { weights, run, generation, sha256, normalisation } = options;
  if (weights === undefined && run === undefined)
    return [{ message: "needs weights, the path of a file, or run, the folder of an earlier run" }];
  if (weights !== undefined && run !== undefined)
    return [{ message: "weights and run are both given: give one of them" }];
  if (weights !== undefined && generation !== undefined)
    return [{ key: "generation", message: "is a generation of a run: weights are a file" }];
  if (typeof normalisation === "object" && normalisation.mean.length !== normalisation.std.length)
    return [{ key: "normalisation", message: "must have as many numbers in mean as in std, one a channel" }];
  // Whether the file is still that one is checked where it is loaded: a finished run does not need it any more.
  return sha256 === undefined ? missing(fileOf(options), run === undefined ? "weights" : "run") : [];
}

/** Finds whether a file that an option names can be read. */
export function missing(file: string, key: string): OptionProblem[] {
  try {
    sha256OfFile(file);
    return [];
  } catch (error) {
    return [{ key, message: (error as Error).message }];
  }
}

/** Gives the options with the file's path instead of a run, and its SHA-256. */
export function completeWeights<T extends WeightsOptions>(options: T): T {
  const { run, generation, ...rest } = options;
  const file = fileOf(options);
  return { ...rest, weights: file, sha256: options.sha256 ?? sha256OfFile(file) } as T;
}

/** Says in words which weights the options name. */
export function weightsInWords(options: WeightsOptions): string {
  const { sha256, normalisation } = options;
  const hash = sha256 ? ` (SHA-256 ${sha256.slice(0, 12)}…)` : "";
  const how =
    normalisation === undefined || normalisation === "images"
      ? ""
      : `, images normalised ${normalisation === "imagenet" ? "as ImageNet's" : "by numbers of its own"}`;
  return `the weights in ${fileOf(options)}${hash}${how}`;
}
