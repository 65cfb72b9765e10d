import { createHash } from "node:crypto";
import type { Recipe } from "../recipe/index.js";

/** The keys of a recipe that may change before a run is resumed, for messages; `deciding` leaves them out. */
export const CHANGEABLE =
  "title, description, generations, device, threads, data.root and the place of pretrained weights";

/**
 * Identifies everything in a recipe that decides what its networks learn, since one run must not mix two such
 * recipes.
 *
 * @returns a SHA-256 in hexadecimal
 */
export function fingerprint(recipe: Recipe): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(deciding(recipe))))
    .digest("hex");
}

/**
 * Lists the top-level keys in which two recipes differ, without the keys that may change while a run goes on.
 */
export function differingKeys(one: Recipe, other: Recipe): string[] {
  const [a, b] = [deciding(one), deciding(other)] as Record<string, unknown>[];
  const text = (value: unknown) => JSON.stringify(sorted(value));
  return [...new Set([...Object.keys(a!), ...Object.keys(b!)])].filter(
    (key) => text(a![key]) !== text(b![key]),
  );
}

/** Leaves out of a recipe what may change while a run goes on. */
function deciding(recipe: Recipe): object {
  const { title, description, generations, device, threads, data, patriarch, student, ...rest } = recipe;
  const { root, ...images } = data;
  return { ...rest, data: images, patriarch: placeless(patriarch), student: placeless(student) };
}

/** Leaves out of a method's options where its weights lie, if their SHA-256 says what they are. */
function placeless(method: Recipe["patriarch"]): object {
  const { weights, ...rest } = method;
  return typeof method.sha256 === "string" ? rest : method;
}

/**
 * Puts an object's keys in alphabetical order, inner ones too, so that their order in a file makes no
 * difference.
 */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
