import { parseYaml } from "./yaml.js";

/** One `--set`: `key.path=value`. */
export interface Override {
  path: string[];
  value: unknown;
  /** As it was typed, for messages. */
  text: string;
}

/**
 * Reads `student.hardWeight=0.5`; the value is YAML: a number, a word, `[1, 2]`, `{k: 5, primaryScore: 0.7}`.
 *
 * @throws Error that quotes the override
 */
export function parseOverride(text: string): Override {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(at, 0)).trim().split(".");
  if (at < 1 || path.some((key) => !/^[A-Za-z]\w*$/.test(key)))
    throw new Error(`--set ${text}: must look like key=value or key.inner=value`);
  try {
    return { path, value: parseYaml(text.slice(at + 1)).value, text };
  } catch (error) {
    throw new Error(`--set ${text}: ${(error as Error).message}`);
  }
}

/** The keys at which a bare name may stand for a member of a family, and under which key its mapping holds that name. */
const tags = new Map([
  ["data", "name"],
  ["patriarch", "method"],
  ["student", "method"],
  ["optimizer", "kind"],
  ["schedule", "kind"],
]);

/**
 * A copy of a recipe's plain data with one value put in; mappings on the way are made where they are missing.
 * A bare name that stands in the way becomes its mapping (`data: NAME` becomes `data: { name: NAME }`), anything else
 * gives way.
 */
export function applyOverride(input: unknown, { path, value }: Pick<Override, "path" | "value">): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const mapping = isMapping(input) ? input : {};
  const inner = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  const tag = tags.get(key);
  const opened = rest.length > 0 && tag !== undefined && typeof inner === "string" ? { [tag]: inner } : inner;
  return { ...mapping, [key]: applyOverride(opened, { path: rest, value }) };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
