import { createHash } from "node:crypto";
import type { Recipe } from "../recipe/index.js";

/** What may change while a run goes on, in words for messages; `deciding` leaves the same keys out. */
export const CHANGEABLE = "title, description, generations, device, threads and data.root";

/** Identifies all of a recipe that decides what a network learns: one run must not mix two of them. */
export function fingerprint(recipe: Recipe): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(deciding(recipe))))
    .digest("hex");
}

/** The keys of recipes in which two of them differ, without those that may change. */
export function differingKeys(one: Recipe, other: Recipe): string[] {
  const [a, b] = [deciding(one), deciding(other)] as Record<string, unknown>[];
  const text = (value: unknown) => JSON.stringify(sorted(value));
  return [...new Set([...Object.keys(a!), ...Object.keys(b!)])].filter(
    (key) => text(a![key]) !== text(b![key]),
  );
}

/** A recipe without what may change while a run goes on. */
function deciding(recipe: Recipe): object {
  const { title, description, generations, device, threads, data, ...rest } = recipe;
  const { root, ...images } = data;
  return { ...rest, data: images };
}

/** The same value with its keys in order: a file may be read back in another. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
