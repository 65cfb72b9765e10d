/** The small file that a trained network of a study leaves: what it was, and its numbers. */
import type { z } from "zod";
import { schema } from "../packages.js";
import type { TestResult } from "../runs/index.js";
import { otherFormat, parseJson, sha256Of, testResultSchema } from "../runs/index.js";
import { type Decides, NUMERICS } from "./fingerprint.js";

/** The version of the file's format. */
const FORMAT = 1;

const fileSchema = schema((z) => {
  const text = z.string().max(4000);
  const number = z.number();
  const numbers = z.array(z.union([number, z.null().transform(() => Number.NaN)])).max(100_000);
  const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
  const decides: z.ZodType<Decides> = z.strictObject({
    numerics: z.int(),
    generation: z.int().min(0).max(9999),
    recipe: z.record(z.string(), z.unknown()),
    method: z.strictObject({ name: text, options: z.record(z.string(), z.unknown()) }),
    teachers: z.array(sha256).max(1000),
    imports: z.array(sha256).max(100).exactOptional(),
  });
  const result: z.ZodType<TestResult> = testResultSchema();
  return z.object({
    format: z.literal(FORMAT),
    fingerprint: sha256,
    decides,
    /** The SHA-256 of the images: of the training part and, where it was loaded, of the test part. */
    images: z.object({ train: sha256, test: sha256.exactOptional() }),
    /** The superclass of each class, where the classes have any. */
    superclasses: z.array(z.int().min(0).max(100_000)).max(100_000).exactOptional(),
    test: result.exactOptional(),
    heldOut: result.exactOptional(),
    /** By epoch: the loss and the accuracy on training images, and the accuracy on held-out ones. */
    curve: z.object({ trainLoss: numbers, trainTop1: numbers, heldOutTop1: numbers.exactOptional() }),
    trainSeconds: number,
    /** The processor's seconds, over all threads: other programs on the machine hardly change them. */
    cpuSeconds: number.exactOptional(),
    kernels: text,
    machine: z.object({ cpu: text, cores: number, memoryGiB: number, os: text, arch: text }),
    lyceum: text,
    commit: text.exactOptional(),
    date: text,
  });
});

/** The content of a network's file. */
export type NetworkFile = z.infer<ReturnType<typeof fileSchema>>;

/**
 * Parses a network's file and checks that it is what it says.
 *
 * @throws Error that names the file and the remedy
 */
export function parseNetworkFile(text: string, path: string): NetworkFile {
  let file: NetworkFile;
  try {
    file = parseJson(text, fileSchema(), path, checkFormat);
  } catch (error) {
    throw new Error(`${(error as Error).message}. ${remedy}`);
  }
  if (!hasOwnFingerprint(file))
    throw new Error(`${path}: its fingerprint is not that of what it says was trained. ${remedy}`);
  return file;
}

function checkFormat(value: unknown, path: string): void {
  const { format, lyceum, commit } = (value ?? {}) as Partial<
    Record<"format" | "lyceum" | "commit", unknown>
  >;
  if (format === FORMAT || format === undefined) return;
  throw otherFormat(path, { found: format, reads: FORMAT, lyceum, commit });
}

function hasOwnFingerprint({ decides, fingerprint }: NetworkFile): boolean {
  try {
    return sha256Of(decides) === fingerprint;
  } catch {
    // What is nested so deeply that the stack does not suffice was never trained.
    return false;
  }
}

/** What can be done about a network's file that cannot be used. */
export const remedy =
  "Put the file back as it was committed, or remove it: `lyceum study` then trains this network again";

/** Says in sentences why a file's network belongs to no arm of a study, other numerics or another recipe, and what to do. */
export function whyForeign({ decides, lyceum, commit }: NetworkFile): string {
  if (decides.numerics === NUMERICS)
    return "is of a recipe that no arm of this study has. Remove the file, or put the study back as it was, and it counts again.";
  const writer = `Lyceum ${lyceum.slice(0, 40)}${commit ? ` (commit ${commit.slice(0, 40)})` : ""}`;
  return (
    `was trained by ${writer} with version ${decides.numerics} of the numerics, and this is version ${NUMERICS}. Remove the file, ` +
    "or open the study with that version, for which it counts."
  );
}
