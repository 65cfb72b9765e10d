import { expect, test } from "vitest";
import { studySentences } from "../../study/index.js";
import { makeStudy } from "../../study/testing/make-study.js";
import { studyMarkdown } from "./markdown.js";

const page = (study: ReturnType<typeof makeStudy>) =>
  studyMarkdown({
    study,
    sentences: studySentences(study),
    figures: [{ name: "accuracy", title: "Accuracy by generation", caption: "" }],
    provenance: { machines: ["a machine"], commands: ["npx lyceum study x"] },
  });

test("the verdict stands first, then the figure, the table, the words and how it was made", () => {
  const study = makeStudy();
  const text = page(study);
  const order = [
    `# ${study.title}`,
    studySentences(study).headline[0]!.slice(0, 30),
    "![Accuracy by generation](figures/accuracy.png)",
    "| arm | seeds |",
    "## The claim beside each rival",
    "## Every difference",
    "## How sure this is",
    "- a machine",
    "npx lyceum study x",
  ].map((part) => text.indexOf(part));
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test("an arm's row has the mean and the deviation over its seeds", () => {
  const study = makeStudy();
  const [arm] = study.arms;
  const values = arm!.lines.map(({ networks }) => networks[0]!.test!.top1);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1),
  );
  const cell = `${(100 * mean).toFixed(2)} ± ${(100 * deviation).toFixed(2)}`;
  expect(page(study)).toContain(`| ${arm!.name} | ${values.length} | ${cell} |`);
});

test("a hostile title is shown, not obeyed", () => {
  const study = { ...makeStudy(), title: "<script>x</script> [a](javascript:b) | # *c*\n# d" };
  expect(page(study).split("\n")[0]).toBe(
    "# &lt;script&gt;x&lt;/script&gt; \\[a\\](javascript:b) \\| \\# \\*c\\* \\# d",
  );
});

test("an unfinished study says so", () => {
  const study = { ...makeStudy(), trained: { done: 3, of: 9 } };
  expect(page(study)).toContain("**Not finished:** 3 of 9 networks are trained.");
});
