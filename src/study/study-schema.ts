/** The shape of a study file, and in words what it allows at each key. */
import { schema } from "../packages.js";

/** The greatest number of arms, those of a grid included. */
export const MAX_ARMS = 500;
const MAX_SEEDS = 1000;

/** The schema of a study file as it is written. */
export const fileSchema = schema((z) => {
  const mapping = z.record(z.string(), z.unknown());
  const seed = z
    .int()
    .min(0)
    .max(2 ** 32 - 1);
  const seeds = z.union([z.int().min(1).max(MAX_SEEDS), z.array(seed).min(1).max(MAX_SEEDS)]);
  const calibrate = z.strictObject({
    like: z.string(),
    by: z.enum(["entropy", "topScore"]).default("entropy"),
    within: z.number().gt(0).max(0.5).default(0.02),
    seeds: seeds.exactOptional(),
    epochs: z.int().min(1).exactOptional(),
    arms: z.record(
      z.string(),
      z.strictObject({
        key: z.string().min(1),
        range: z.tuple([z.number(), z.number()]),
        start: z.number().exactOptional(),
      }),
    ),
  });
  const claim = z.strictObject({ arm: z.string(), over: z.array(z.string()).min(1).exactOptional() });
  return z.strictObject({
    title: z.string().min(1).max(200).exactOptional(),
    description: z.string().max(2000).exactOptional(),
    kind: z.enum(["study", "search"]).default("study"),
    base: z.union([mapping, z.string().min(1)]),
    seeds,
    calibrate: calibrate.exactOptional(),
    reference: z.string().exactOptional(),
    claim: claim.exactOptional(),
    arms: z.record(z.string(), mapping).exactOptional(),
    grid: z.record(z.string(), z.array(z.union([z.string(), z.number()])).min(1)).exactOptional(),
  });
});

const seeds = `must be a list of whole numbers from 0 to ${2 ** 32 - 1}, or how many seeds to count from 0; at most ${MAX_SEEDS}`;

/** What is allowed at each key, where a star stands for any name. */
const words: Record<string, string> = {
  "": "a study is a mapping, with at least the keys base, seeds and arms",
  title: "must be text of 1 to 200 characters",
  description: "must be text of at most 2000 characters",
  kind: "must be study or search",
  base: "must be a recipe: a mapping, or the name or the path of one",
  seeds,
  reference: "must be the name of an arm",
  claim: "must be a mapping of arm and, unless it is all others, over",
  "claim.arm": "must be the name of the arm that is claimed to be better",
  "claim.over": "must be a list of the names of its rivals",
  "claim.over.*": "must be the name of an arm",
  arms: "must be a mapping: for each arm's name the keys that it changes, such as `strict: { patriarch: strict }`",
  "arms.*": "must be a mapping of the keys that the arm changes, such as { patriarch: strict }",
  grid: "must be a mapping: for each key a list of values, such as { patriarch.k: [3, 5] }",
  "grid.*": "must be a list of one or more values, such as [3, 5]",
  "grid.*.*": "must be a number or a word",
  calibrate: "must be a mapping with the keys like and arms",
  "calibrate.like": "must be the name of the arm that the others are made like",
  "calibrate.by": "must be entropy or topScore",
  "calibrate.within": "must be a fraction above 0, at most 0.5",
  "calibrate.seeds": seeds,
  "calibrate.epochs": "must be a whole number of at least 1",
  "calibrate.arms":
    "must be a mapping: for each arm its key and range, such as { key: patriarch.epsilon, range: [0.01, 0.9] }",
  "calibrate.arms.*":
    "must be a mapping of key and range, such as { key: patriarch.epsilon, range: [0.01, 0.9] }",
  "calibrate.arms.*.key": "must be an option of the patriarch, such as patriarch.epsilon",
  "calibrate.arms.*.range": "must be a list of the least and the greatest value, such as [0.01, 0.9]",
  "calibrate.arms.*.start": "must be the number to begin with",
};

/** Says what is allowed at a path in a study file, and which keys are known there. */
export function expectedAt(path: readonly PropertyKey[]): { words: string | undefined; keys: string[] } {
  for (let length = path.length; length >= 0; length--) {
    const place = path.slice(0, length).map(String);
    const pattern = Object.keys(words).find((one) => fits(one.split("."), place));
    if (pattern === undefined) continue;
    const inner = Object.keys(words).filter((one) => one !== "" && parentOf(one) === pattern);
    return { words: words[pattern], keys: inner.map((one) => one.slice(one.lastIndexOf(".") + 1)) };
  }
  return { words: undefined, keys: [] };
}

const parentOf = (key: string) => key.slice(0, Math.max(0, key.lastIndexOf(".")));

const fits = (pattern: readonly string[], place: readonly string[]) =>
  place.length === 0
    ? pattern.join() === ""
    : pattern.length === place.length && pattern.every((one, i) => one === "*" || one === place[i]);

/**
 * Finds a key "__proto__" in plain data, which the schema would silently drop.
 *
 * @returns its path, or undefined where there is none
 */
export function protoKeyIn(value: unknown, depth = 0): string[] | undefined {
  if (typeof value !== "object" || value === null || depth > 32) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "__proto__") return [key];
    const found = protoKeyIn(inner, depth + 1);
    if (found) return [key, ...found];
  }
  return undefined;
}
