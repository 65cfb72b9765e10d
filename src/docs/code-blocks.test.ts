/** Every block of code in the documentation is run or checked, or left for a reason that stands here. */
import { expect, it } from "vitest";
import { type Block, blocksOf, placeOf, readPages } from "./testing/pages.js";
import { foreignBlocks, programs } from "./testing/programs.js";

/** What becomes of a block, by its language. */
const treatment: Record<string, "run" | "checked" | "left"> = {
  ts: "run", // programs.test.ts, programs.slow.test.ts
  js: "run", // but what is of other libraries, which is parsed
  yaml: "checked", // yaml-blocks.test.ts: by the schema of recipes or of studies
  sh: "checked", // shell-blocks.test.ts: by the command line's own parser
  console: "checked",
  python: "checked", // python-blocks.test.ts: compiled
  text: "left",
  mermaid: "left",
  bibtex: "left",
};

/** Why blocks of a language are left. */
const reasons: Record<string, string> = {
  text: "layouts of folders, and what commands printed",
  mermaid: "a drawing",
  bibtex: "a citation",
};

const blocks = readPages().flatMap(blocksOf);
const foreign = new Set(foreignBlocks().map(placeOf));
const kindOf = (block: Block) => (foreign.has(placeOf(block)) ? "checked" : treatment[block.language]);

it("every block is of a language whose treatment is known", () => {
  const unknown = blocks.filter((block) => kindOf(block) === undefined);
  expect(unknown.map((block) => `${placeOf(block)}: ${block.language}`)).toEqual([]);
});

it("all are accounted for", () => {
  const count = (kind: string, language?: string) =>
    blocks.filter((block) => kindOf(block) === kind && block.language === (language ?? block.language))
      .length;
  const lines = [...new Set(blocks.map(({ language }) => language))].map((language) => {
    const counts = ["run", "checked", "left"].map((kind) => [count(kind, language), kind] as const);
    const words = counts.filter(([number]) => number > 0).map((each) => each.join(" "));
    return `  ${language}: ${words.join(", ")}${reasons[language] ? `: ${reasons[language]}` : ""}`;
  });
  const [run, checked, left] = [count("run"), count("checked"), count("left")];
  console.log(
    `${blocks.length} blocks of code: ${run} run, ${checked} checked, ${left} left\n${lines.join("\n")}`,
  );
  expect(run + checked + left).toBe(blocks.length);
  expect(Object.keys(reasons)).toEqual(
    Object.keys(treatment).filter((language) => treatment[language] === "left"),
  );
  expect(programs().reduce((sum, program) => sum + program.blocks, 0)).toBe(run);
});
