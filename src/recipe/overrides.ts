import { shorten } from "./show.js";
import { parseYaml } from "./yaml.js";

/** A parsed `--set key.path=value`. */
export interface Override {
  path: string[];
  value: unknown;
  /** The text as it was typed, for messages. */
  text: string;
}

/**
 * Parses an override such as `student.hardWeight=0.5`. The value is YAML: a number, a word, `[1, 2]`,
 * `{k: 5, primaryScore: 0.7}`.
 *
 * @throws Error that quotes the override
 */
export function parseOverride(text: string): Override {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(at, 0)).trim().split(".");
  if (at < 1 || path.some((key) => !/^[A-Za-z]\w*$/.test(key)))
    throw new Error(`--set ${shorten(text)}: must look like key=value or key.inner=value`);
  if (isTooDeep(path)) throw new Error(`--set ${shorten(text)}: no key lies so deep`);
  try {
    return { path, value: parseYaml(text.slice(at + 1)).value, text };
  } catch (error) {
    throw new Error(`--set ${shorten(text)}: ${(error as Error).message}`);
  }
}

/** Tells whether a path has more keys than any recipe has within each other. */
export const isTooDeep = (path: readonly string[]): boolean => path.length > 16;

/**
 * For each key that chooses from a family: the key under which a mapping there holds the chosen member's
 * name.
 */
const tags = new Map([
  ["data", "name"],
  ["patriarch", "method"],
  ["student", "method"],
  ["optimizer", "kind"],
  ["schedule", "kind"],
]);

/**
 * Copies a recipe's plain data with one value set. Mappings on the value's path are made where they are
 * missing. A bare name on the path becomes its mapping (`data: NAME` becomes `data: { name: NAME }`);
 * anything else there is replaced.
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
