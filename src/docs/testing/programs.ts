/** The programs that the documentation shows, each with what the text around it takes for granted. */
import { type Block, blocksIn, placeOf, root } from "./pages.js";

export interface Program {
  /** Where its first line stands. */
  place: string;
  /** The number of blocks that it is made of. */
  blocks: number;
  text: string;
  /** Whether it starts processes of its own, and so is run in programs.slow.test.ts. */
  startsItself: boolean;
}

interface Setup {
  /** Lines that come before the block. */
  before?: string;
  /** Whether its trainings are made short, on drawn images: the block shows one that takes minutes, or data that must be fetched. */
  isShortened?: boolean;
  startsItself?: boolean;
}

/** By page and section; a block that is not here is a whole program. */
const setups: Record<string, Setup> = {
  "README.md, Lyceum": { isShortened: true },
  "README.md, Your own network": { isShortened: true },
  "README.md, Your own data": {
    before: `
      import { trainGenerations } from "lyceum";
      const images = new Uint8Array(16 * 3 * 32 * 32).map((_, i) => (i * 31) % 256);
      const labels = Int32Array.from({ length: 16 }, (_, i) => i % 2);
      const test = { name: "mushrooms", classNames: ["edible", "poisonous"], channels: 3, height: 32, width: 32, images, labels, count: 16 };`,
    isShortened: true,
  },
  "README.md, Your own method": { isShortened: true },
  "docs/metrics.md, A metric of your own": {
    before: `
      const logits = { classes: 3, values: new Float32Array([3, 1, 0, 0, 1, 3]) };
      const labels = [0, 1];`,
  },
  "docs/predict.md, In code": {
    before: `
      import { readFileSync } from "node:fs";
      const bytes = readFileSync("photo.png");
      const thousandsOfPaths = ["photo.png", "a.jpg"];`,
  },
  "docs/export.md, What is in an ONNX file": { before: "const bytes = new Uint8Array(3 * 32 * 32);" },
  "docs/distributed.md, In code": { startsItself: true },
};

/** Pages whose blocks are one program, from the first to the last. */
const continued = ["docs/from-pytorch.md", "docs/from-tfjs.md"];

/** The JavaScript of another library, which is not installed: it is parsed, and neither compiled nor run. */
export function foreignBlocks(): Block[] {
  return blocksIn("js").filter(({ page }) => continued.includes(page));
}

/** Lists Lyceum's programs in TypeScript and JavaScript of all pages. */
export function programs(): Program[] {
  const foreign = foreignBlocks().map(placeOf);
  const blocks = blocksIn("ts", "js").filter((block) => !foreign.includes(placeOf(block)));
  const used = new Set<string>();
  const single = blocks
    .filter(({ page }) => !continued.includes(page))
    .map((block) => programOf(block, used));
  const stale = Object.keys(setups).filter((key) => !used.has(key));
  if (stale.length > 0) throw new Error(`no block stands at ${stale.join("; ")}`);
  const joined = continued.map((page) => joinedProgram(blocks.filter((block) => block.page === page)));
  return [...single, ...joined];
}

function joinedProgram(parts: readonly Block[]): Program {
  const text = parts.map(({ text }) => text).join("\n");
  return { place: placeOf(parts[0]!), blocks: parts.length, text: asModule(text), startsItself: false };
}

function programOf(block: Block, used: Set<string>): Program {
  const key = `${block.page}, ${block.section}`;
  const { before = "", isShortened, startsItself = false } = setups[key] ?? {};
  used.add(key);
  const text = `${before.replace(/^ +/gm, "")}\n${block.text}`;
  const shortened = isShortened
    ? text.replaceAll('from "lyceum"', `from "${root}src/docs/testing/short-trainings.ts"`)
    : text;
  return { place: placeOf(block), blocks: 1, text: asModule(shortened), startsItself };
}

const asModule = (text: string) => `${text}\nexport {};\n`;
