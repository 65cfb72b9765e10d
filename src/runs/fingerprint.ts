import { createHash } from "node:crypto";
import type { Recipe } from "../recipe/index.js";

/** What may change while a run goes on, in words; see below. */
export const CHANGEABLE = "title, description, generations, device, threads and data.root";

/** Identifies all of a recipe that decides what a network learns: one run must not mix two of them. */
export function fingerprint(recipe: Recipe): string {
  const { title, description, generations, device, threads, data, ...rest } = recipe;
  const { root, ...images } = data;
  return createHash("sha256")
    .update(JSON.stringify(sorted({ ...rest, data: images })))
    .digest("hex");
}

/** The same value with its keys in order: a file may be read back in another. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
