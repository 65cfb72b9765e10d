/** A run's environment.json: the processes that worked on it, and the changes with which it went on. */
import { join } from "node:path";
import type { z } from "zod";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { environmentSchema } from "./environment.js";
import { CHANGEABLE } from "./fingerprint.js";
import { parseJson } from "./formats.js";
import { checkRunFormat } from "./run-format.js";

export const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** Reads and checks a JSON file of a run folder; undefined where the file is not there. */
export async function readJson<T>(
  folder: string,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const path = join(folder, name);
  const json = await readBoundedText(path, { maxBytes: MAX_JSON_BYTES }).catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return json === undefined ? undefined : parseJson(json, schema, path, checkRunFormat);
}

export const sittingsSchema = schema((z) =>
  environmentSchema().extend({
    /** The fingerprint of the recipe that the run began with. */
    recipe: z.string().max(100).exactOptional(),
    /** The SHA-256 of recipe.yaml, as a JSON text, at the last sitting. */
    recipeFile: z.string().max(100).exactOptional(),
    /** The number of generations that the recipe asked for at the last sitting, or after the last change. */
    generations: z.int().min(1).exactOptional(),
    /** The changes with which the run went on, in order. */
    changes: z
      .array(
        z.object({
          date: z.string().max(100),
          firstGeneration: z.int().min(0),
          keys: z.array(z.string().max(100)).max(100),
          generations: z.int().min(1),
          epochs: z.int().min(1),
          recipe: z.string().max(100),
        }),
      )
      .max(100)
      .exactOptional(),
    /** The environments of the processes that resumed the run, in order; only the last 100 are kept. */
    resumed: z.array(environmentSchema()).max(100).default([]),
  }),
);

/** The content of environment.json: the environment of the process that began the run, and what came after it. */
export type Sittings = z.infer<ReturnType<typeof sittingsSchema>>;

/**
 * Finds the changes of a run's recipe that were made. Of the last one, a killed process may have noted that it comes and not have
 * made it.
 *
 * @param found the fingerprint of the recipe as it is
 * @throws Error when the recipe is neither the one that the run began with nor one that it went on with
 */
export function changesThatHold(directory: string, found: string, environment: Sittings | undefined) {
  const { changes = [], recipe: first } = environment ?? {};
  const [now, before] = [changes.at(-1)?.recipe ?? first, changes.at(-2)?.recipe ?? first];
  if (now === undefined || found === now) return changes;
  if (found === before) return changes.slice(0, -1);
  throw new Error(
    `${directory}: recipe.yaml is not what the run began with (only ${CHANGEABLE} may change, and epochs by --resume with --epochs), ` +
      "or environment.json is damaged: put them back, or start a new run",
  );
}
