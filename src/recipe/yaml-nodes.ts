/** Checks the nodes of a YAML document before they become plain data: keys, tags, anchors and aliases. */
import type { Document, Node, ParsedNode, Scalar } from "yaml";
import { yaml } from "../packages.js";
import { MAX_DEPTH } from "./yaml-compose.js";
import { YamlError } from "./yaml-error.js";

const MAX_ALIASES = 1000;
/** The tags that say no more than the value itself does. */
const plainTags = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((tag) => `tag:yaml.org,2002:${tag}`),
);

/** The key of a mapping as plain data has it. */
export const nameOfKey = ({ value }: Scalar): string => (value === null ? "" : String(value));

interface Checks {
  /** Gives the line of an offset in the text. */
  lineAt(offset: number | undefined): number | undefined;
  /** The most bytes that the document may take with its aliases written out. */
  maxBytes: number;
}

/**
 * Accepts keys that are plain words and stand once in their mapping, and few aliases of what stands before them, which written
 * out do not take more than `maxBytes`.
 *
 * @throws YamlError with the line of the first problem
 */
export function checkNodes(document: Document.Parsed<ParsedNode>, { lineAt, maxBytes }: Checks): void {
  const { isAlias, isMap, isScalar, isSeq } = yaml();
  /** By anchor: the bytes and levels of what it stands for, none as long as that has not ended. */
  const anchors = new Map<string, Size | undefined>();
  let aliases = 0;

  const sizeOf = (node: Node | null, depth: number): Size => {
    if (!node) return { bytes: 0, levels: 0 };
    const wrong = (message: string) => new YamlError(message, lineAt(node.range?.[0]));
    if (isAlias(node)) {
      const { source } = node;
      if (++aliases > MAX_ALIASES)
        throw wrong(`more than ${MAX_ALIASES} aliases, of which this is *${source}: write the values out`);
      if (!anchors.has(source)) throw wrong(`there is no anchor &${source} before this alias of it`);
      const size = anchors.get(source);
      if (!size) throw wrong(`*${source} stands within what &${source} names, and would never end`);
      if (depth + size.levels > MAX_DEPTH)
        throw wrong(`nested too deeply: with *${source} more than ${MAX_DEPTH} levels`);
      return size;
    }
    if (node.tag !== undefined && !plainTags.has(node.tag))
      throw wrong(`the tag ${node.tag.replace("tag:yaml.org,2002:", "!!")} is not read here: leave it out`);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, undefined);
    const [start = 0, end = 0] = node.range ?? [];
    const size = { bytes: isScalar(node) ? end - start : 2, levels: isScalar(node) ? 0 : 1 };
    const add = (inner: unknown) => {
      const { bytes, levels } = sizeOf(inner as Node | null, depth + 1);
      size.bytes += bytes + 2;
      size.levels = Math.max(size.levels, levels + 1);
      if (size.bytes > maxBytes)
        throw wrong("its aliases stand for more than any recipe holds: write the values out");
    };
    if (isMap<Node, Node | null>(node)) {
      const seen = new Set<string>();
      for (const { key, value } of node.items) {
        checkKey(key, seen);
        add(key);
        add(value);
      }
    } else if (isSeq<Node | null>(node)) node.items.forEach(add);
    if (anchor !== undefined) anchors.set(anchor, size);
    return size;
  };

  const checkKey = (key: Node | null, seen: Set<string>): void => {
    const line = lineAt(key?.range?.[0]);
    if (!isScalar(key)) throw new YamlError("a key must be a plain word", line);
    const name = nameOfKey(key);
    if (name === "<<")
      throw new YamlError("merge keys (<<) are none of YAML 1.2, and are not read: write the keys out", line);
    if (seen.has(name))
      throw new YamlError(`the key ${JSON.stringify(name.slice(0, 80))} stands here twice`, line);
    seen.add(name);
  };

  sizeOf(document.contents, 1);
}

interface Size {
  bytes: number;
  levels: number;
}
