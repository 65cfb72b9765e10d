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

/**
 * A copy of a recipe's plain data with one value put in; mappings on the way are made where they are missing.
 * What stands in the way gives way, but `data: NAME` becomes `data: { name: NAME }` first.
 */
export function applyOverride(input: unknown, { path, value }: Pick<Override, "path" | "value">): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const mapping = isMapping(input) ? input : {};
  const inner = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  const opened = key === "data" && rest.length > 0 && typeof inner === "string" ? { name: inner } : inner;
  return { ...mapping, [key]: applyOverride(opened, { path: rest, value }) };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
