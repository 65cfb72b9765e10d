/** The repository's Markdown that people read: pages, what stands in them, and where. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The checkout's folder, with a slash at its end. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Page {
  /** Relative to the checkout: `docs/data.md`. */
  path: string;
  text: string;
}

/** A fenced block of code. */
export interface Block {
  page: string;
  /** The line of the block's first line, from 1, for messages. */
  line: number;
  /** The heading that the block stands below. */
  section: string;
  /** The word behind the fence, `text` where there is none. */
  language: string;
  text: string;
}

/** Reads all pages. */
export function readPages(): Page[] {
  const files = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...["docs", "deploy", "bench", "results"].flatMap((folder) => listMarkdown(folder)),
  ];
  return files.map((path) => ({ path, text: readFileSync(`${root}${path}`, "utf8") }));
}

/** Finds the fenced blocks of a page, those that are indented in lists too. */
export function blocksOf({ path, text }: Page): Block[] {
  const blocks: Block[] = [];
  let section = "";
  let open: { fence: string; indent: number; block: Block } | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    const [, indent = "", fence, language] = /^( *)(`{3,}|~{3,})\s*(\S*)/.exec(line) ?? [];
    if (open) {
      if (fence?.startsWith(open.fence) && !language) open = undefined;
      else open.block.text += `${line.slice(Math.min(open.indent, line.search(/\S|$/)))}\n`;
    } else if (fence) {
      const block = { page: path, line: at + 2, section, language: language || "text", text: "" };
      blocks.push(block);
      open = { fence, indent: indent.length, block };
    } else section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
  }
  if (open) throw new Error(`${path}:${open.block.line}: the block is not closed`);
  return blocks;
}

/** A page's text without its fenced blocks, whose lines are empty, so that the others keep their places. */
export function proseOf({ text }: Page): string {
  let fence: string | undefined;
  return text
    .split("\n")
    .map((line) => {
      const [, mark, language] = /^ *(`{3,}|~{3,})\s*(\S*)/.exec(line) ?? [];
      const isInside = fence !== undefined || mark !== undefined;
      if (fence === undefined) fence = mark;
      else if (mark?.startsWith(fence) && !language) fence = undefined;
      return isInside ? "" : line;
    })
    .join("\n");
}

/** All blocks of all pages in some of the languages. */
export function blocksIn(...languages: string[]): Block[] {
  return readPages()
    .flatMap(blocksOf)
    .filter(({ language }) => languages.includes(language));
}

/** Where a block is, for titles of tests and for messages. */
export const placeOf = ({ page, line }: Block) => `${page}:${line}`;

function listMarkdown(folder: string): string[] {
  const files = readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
    .sort()
    .map((file) => `${folder}/${file}`);
}
