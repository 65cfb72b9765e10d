/**
 * Makes stand-ins for definitions, so that a stored recipe can be read where the definitions it names are not
 * needed.
 */
import type { Definition, Library } from "./library.js";
import type { Recipe } from "./types.js";

type Choosing = readonly [
  "patriarch" | "student" | "optimizer" | "schedule" | "data",
  string,
  Definition["kind"],
];

/**
 * The keys at which a recipe chooses from a family, each with the key of the chosen name and the family's
 * kind.
 */
const choices: readonly Choosing[] = [
  ["data", "name", "dataset"],
  ["patriarch", "method", "method"],
  ["student", "method", "method"],
  ["optimizer", "kind", "optimizer"],
  ["schedule", "kind", "schedule"],
];

/**
 * Makes stand-ins for the definitions that a recipe's plain data names and a library lacks. They accept the
 * options that the recipe has and compute nothing, so that the rest of the recipe can be checked and read.
 */
export function standIns(value: unknown, library: Library): Definition[] {
  const made = new Map<string, Definition>();
  for (const [key, tag, kind] of choices) {
    const name = mappingAt(value, key)[tag];
    if (typeof name !== "string" || name === "" || library.find(kind, name) || made.has(`${kind} ${name}`))
      continue;
    const common = key === "data" ? ["root", "limit", "heldOut"] : [];
    // A patriarch and a student of the same method may have different options: the stand-in accepts both.
    const keys = choices
      .filter((one) => one[2] === kind && mappingAt(value, one[0])[tag] === name)
      .flatMap((one) => Object.keys(mappingAt(value, one[0])))
      .filter((option) => option !== tag && !common.includes(option));
    made.set(`${kind} ${name}`, standIn(kind, name, keys));
  }
  return [...made.values()];
}

/** Lists the names in a recipe, its network's included, that a library does not define. */
export function namesBeyond(recipe: Recipe, library: Library): string[] {
  const chosen = choices.map(([key, tag, kind]) => [kind, String(mappingAt(recipe, key)[tag])] as const);
  const all = [...chosen, ["model", recipe.model] as const];
  return [...new Set(all.filter(([kind, name]) => !library.find(kind, name)).map(([, name]) => name))];
}

function standIn(kind: Definition["kind"], name: string, keys: readonly string[]): Definition {
  const absent = (): never => {
    throw new Error(`"${name}" is only known by name here: give the file that defines it by --import`);
  };
  // The stand-in has the fields of every kind, of which each kind uses its own.
  return {
    kind,
    name,
    summary: "",
    options: (z: typeof import("zod").z) => Object.fromEntries(keys.map((key) => [key, z.any().optional()])),
    formula: "",
    terms: {},
    augment: { crop: true, flip: true },
    from: { make: absent },
    loss: absent,
    create: absent,
  } as unknown as Definition;
}

function mappingAt(value: unknown, key: string): Record<string, unknown> {
  const inner = (value as Record<string, unknown> | null | undefined)?.[key];
  return typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {};
}
