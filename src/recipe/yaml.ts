import type { Node } from "yaml";
import { yaml } from "../packages.js";
import { composeYaml } from "./yaml-compose.js";
import { YamlError } from "./yaml-error.js";
import { checkNodes, nameOfKey } from "./yaml-nodes.js";

export { YamlError } from "./yaml-error.js";

/** A YAML text as plain data, with the line on which each part of it stands. */
export interface ParsedYaml {
  value: unknown;
  /** Gives the line (from 1) of the key or item at `path`, or of the nearest part above it that exists. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/**
 * The largest text that is parsed: far above any recipe, and so small that the parser's worst cases end soon.
 */
export const MAX_YAML_BYTES = 64 * 1024;

/**
 * Parses a YAML text that may come from anyone. Accepted is one document of YAML 1.2 with no tags but YAML's
 * own, plain keys that stand once in their mapping, few aliases and at most 32 levels of nesting.
 *
 * @throws YamlError that says what is wrong and, where known, at which line
 */
export function parseYaml(text: string): ParsedYaml {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES)
    throw new YamlError(`more than ${MAX_YAML_BYTES} bytes of YAML`);
  const lines = new (yaml().LineCounter)();
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  const document = composeYaml(text, lines);
  checkNodes(document, { lineAt, maxBytes: 8 * MAX_YAML_BYTES });
  // What the aliases stand for was bounded by checkNodes.
  const value: unknown = document.toJS({ maxAliasCount: -1 });
  return { value, lineOf: (path) => lineAt(offsetOf(document.contents, path)) };
}

/** Writes plain data as YAML. A value that stands in several places is written out in each of them. */
export function toYaml(value: unknown): string {
  return yaml().stringify(value, { lineWidth: 100, aliasDuplicateObjects: false });
}

/**
 * Finds the offset of the deepest node of `path` that exists; for an entry of a mapping, the offset of its
 * key.
 */
function offsetOf(contents: unknown, path: readonly PropertyKey[]): number | undefined {
  const { isMap, isScalar } = yaml();
  let node = contents as Node | null | undefined;
  let offset = node?.range?.[0];
  for (const step of path) {
    if (isMap<Node, Node>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && nameOfKey(key) === String(step));
      if (!pair) break;
      [offset, node] = [pair.key.range?.[0], pair.value];
    } else {
      const item = (node as { items?: Node[] } | null | undefined)?.items?.[Number(step)];
      if (!item) break;
      [offset, node] = [item.range?.[0], item];
    }
  }
  return offset;
}
