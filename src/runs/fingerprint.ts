import { createHash } from "node:crypto";
import type { Recipe } from "../recipe/index.js";

/** The keys of a recipe that may change while a run goes on, for messages; `decidingRecipe` leaves them out. */
export const CHANGEABLE =
  "title, description, generations, validateEvery, checkpointEvery, device, threads, data.root and the place of pretrained weights";

/**
 * Identifies everything in a recipe that decides what its networks learn, since one run must not mix two such
 * recipes.
 *
 * @returns a SHA-256 in hexadecimal
 */
export function fingerprint(recipe: Recipe): string {
  return sha256Of(decidingRecipe(recipe));
}

/**
 * Hashes plain data, whatever the order of its keys.
 *
 * @returns a SHA-256 in hexadecimal
 */
export function sha256Of(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex");
}

/**
 * Lists the top-level keys in which two recipes differ, without the keys that may change while a run goes on.
 */
export function differingKeys(one: Recipe, other: Recipe): string[] {
  const [a, b] = [decidingRecipe(one), decidingRecipe(other)] as Record<string, unknown>[];
  const text = (value: unknown) => JSON.stringify(sorted(value));
  return [...new Set([...Object.keys(a!), ...Object.keys(b!)])].filter(
    (key) => text(a![key]) !== text(b![key]),
  );
}

/** Leaves out of a recipe what may change while a run goes on. */
export function decidingRecipe(recipe: Recipe): object {
  const { title, description, generations, validateEvery, checkpointEvery, device, threads, ...rest } =
    recipe;
  const { root, ...data } = rest.data;
  return {
    ...rest,
    data,
    patriarch: withoutPlace(rest.patriarch),
    student: withoutPlace(rest.student),
    ...(rest.fineTune && { fineTune: withoutPlace({ ...rest.fineTune }) }),
  };
}

/** Leaves out of options where a file lies, if its SHA-256 beside it says what it is: weights, and a list of classes. */
export function withoutPlace(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { weights, classes, ...rest } = options;
  return {
    ...rest,
    ...(weights !== undefined && typeof options.sha256 !== "string" && { weights }),
    ...(classes !== undefined && typeof options.classesSha256 !== "string" && { classes }),
  };
}

/**
 * Puts an object's keys in alphabetical order, inner ones too, so that their order in a file makes no
 * difference.
 */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
