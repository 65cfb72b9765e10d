/** Reading a stored recipe without the definitions that it names, for those who need none of them. */
import type { Definition, Library } from "./library.js";
import type { Recipe } from "./types.js";

type Choosing = readonly [
  "patriarch" | "student" | "optimizer" | "schedule" | "data",
  string,
  Definition["kind"],
];

/** Where a recipe chooses a member of a family, and under which key its name stands. */
const choices: readonly Choosing[] = [
  ["data", "name", "dataset"],
  ["patriarch", "method", "method"],
  ["student", "method", "method"],
  ["optimizer", "kind", "optimizer"],
  ["schedule", "kind", "schedule"],
];

/**
 * Definitions in place of those that a recipe's plain data names and a library lacks. They accept the options that stand
 * there and can do nothing, so that the rest of the recipe is checked and can be read.
 */
export function standIns(value: unknown, library: Library): Definition[] {
  const made = new Map<string, Definition>();
  for (const [key, tag, kind] of choices) {
    const name = mappingAt(value, key)[tag];
    if (typeof name !== "string" || name === "" || library.find(kind, name) || made.has(`${kind} ${name}`))
      continue;
    const common = key === "data" ? ["root", "limit", "heldOut"] : [];
    // Those of a student that has the patriarch's method may be others.
    const keys = choices
      .filter((one) => one[2] === kind && mappingAt(value, one[0])[tag] === name)
      .flatMap((one) => Object.keys(mappingAt(value, one[0])))
      .filter((option) => option !== tag && !common.includes(option));
    made.set(`${kind} ${name}`, standIn(kind, name, keys));
  }
  return [...made.values()];
}

/** The names in a recipe, its network's included, that a library lacks. */
export function namesBeyond(recipe: Recipe, library: Library): string[] {
  const chosen = choices.map(([key, tag, kind]) => [kind, String(mappingAt(recipe, key)[tag])] as const);
  const all = [...chosen, ["model", recipe.model] as const];
  return [...new Set(all.filter(([kind, name]) => !library.find(kind, name)).map(([, name]) => name))];
}

function standIn(kind: Definition["kind"], name: string, keys: readonly string[]): Definition {
  const absent = (): never => {
    throw new Error(`"${name}" is only known by name here: give the file that defines it by --import`);
  };
  // Each kind looks at its own of these.
  return {
    kind,
    name,
    summary: "",
    options: (z: typeof import("zod").z) => Object.fromEntries(keys.map((key) => [key, z.any()])),
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
