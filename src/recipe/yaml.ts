import type { Node, Pair, visit } from "yaml";
import { yaml } from "../packages.js";

/** A YAML text as plain data, with the line on which each part of it stands. */
export interface ParsedYaml {
  value: unknown;
  /** Gives the line (from 1) of the key or item at `path`, or of the nearest part above it that exists. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** The error of a text that is no acceptable YAML, with the line, from 1, where it is known. */
export class YamlError extends Error {
  override name = "YamlError";
  constructor(
    message: string,
    readonly line?: number,
  ) {
    super(message);
  }
}

/**
 * The largest text that is parsed: far above any recipe, and so small that the parser's worst cases end soon.
 */
export const MAX_YAML_BYTES = 64 * 1024;
const MAX_ALIASES = 50;
const MAX_DEPTH = 32;

/**
 * Parses a YAML text that may come from anyone. Accepted is one document of YAML 1.2 with no tags but YAML's
 * own, plain keys that stand once in their mapping, few aliases and at most 32 levels of nesting.
 *
 * @throws YamlError that says what is wrong and, where known, at which line
 */
export function parseYaml(text: string): ParsedYaml {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES)
    throw new YamlError(`more than ${MAX_YAML_BYTES} bytes of YAML`);
  checkBrackets(text);
  const lines = new (yaml().LineCounter)();
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  // The parser's own check for repeated keys takes quadratic time; checkNodes does it instead.
  const document = yaml().parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble) throw new YamlError(trouble.message, lineAt(trouble.pos[0]));
  checkNodes(document, lineAt);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new YamlError((error as Error).message);
  }
  return { value, lineOf: (path) => lineAt(offsetOf(document.contents, path)) };
}

/** Writes plain data as YAML. */
export function toYaml(value: unknown): string {
  return yaml().stringify(value, { lineWidth: 100 });
}

/**
 * Refuses deeply nested brackets before the text is parsed, since thousands of them would cost the parser
 * seconds.
 */
function checkBrackets(text: string): void {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
    if (depth > MAX_DEPTH * 4) throw new YamlError("nested too deeply");
  }
}

function checkNodes(document: Parameters<typeof visit>[0], lineAt: (o?: number) => number | undefined): void {
  const { isScalar, visit } = yaml();
  visit(document, {
    Node(_, node, ancestors) {
      if (ancestors.length > 2 * MAX_DEPTH) throw new YamlError("nested too deeply", lineAt(node.range?.[0]));
    },
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items as Pair<Node>[]) {
        const line = lineAt(key.range?.[0]);
        if (!isScalar(key)) throw new YamlError("a key must be a plain word", line);
        const name = String(key.value);
        if (seen.has(name)) throw new YamlError(`the key "${name}" stands here twice`, line);
        seen.add(name);
      }
    },
  });
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
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
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
