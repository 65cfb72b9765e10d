/** The page of a study in plain words, as Markdown, for where a folder of results is browsed. */
import type { StudyResult, StudySentences } from "../../study/index.js";
import { estimateMean } from "../../study/statistics/index.js";
import { plural } from "../numbers.js";
import type { Figure } from "./figure.js";
import { type Provenance, trainingDates } from "./made-with.js";
import { outcomeName, outcomesOf, trainedSeeds, valuesOf } from "./outcomes.js";

export interface StudyMarkdown {
  study: StudyResult;
  sentences: StudySentences;
  /** The figures that lie in `figures/` as PNG files. */
  figures: readonly Pick<Figure, "name" | "title" | "caption">[];
  provenance: Provenance;
}

/** Makes the page. Every sentence in it about numbers follows from them by a rule. */
export function studyMarkdown({ study, sentences, figures, provenance }: StudyMarkdown): string {
  const { headline, claims, differences, meetings, costs, notes } = sentences;
  const { machines = [], software = [], commands = [] } = provenance;
  const unfinished = study.trained.done < study.trained.of;
  return `${[
    `# ${plain(study.title)}`,
    plain(study.description),
    ...(unfinished
      ? [`**Not finished:** ${study.trained.done} of ${plural(study.trained.of, "network")} are trained.`]
      : []),
    ...headline.map((sentence) => `**${plain(sentence)}**`),
    ...figures.slice(0, 2).map(picture),
    "## Results",
    accuracyTable(study),
    ...section("The claim beside each rival", claims),
    ...section("Every difference", differences),
    ...section("Line by line", meetings),
    ...section("What one more generation costs and gives", costs),
    ...section("How sure this is", [...notes, ...study.notes]),
    "## Made with",
    list([...machines, ...software, ...trainingDates(study)]),
    ...commands.map((command) => `\`\`\`sh\n${command}\n\`\`\``),
    "The whole page is `report.html`; all figures are in `figures/`, all numbers in `data/`.",
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

/** Makes the table of accuracies: mean ± standard deviation over seeds, in percent. */
function accuracyTable(study: StudyResult): string {
  const outcomes = outcomesOf(study);
  const rows = study.arms.map((arm) => [
    plain(arm.name),
    String(trainedSeeds(arm)),
    ...outcomes.map((outcome) => {
      const values = valuesOf(arm, outcome, study).map(({ value }) => value);
      if (values.length === 0) return "";
      const { mean, deviation } = estimateMean(values);
      const spread = deviation === undefined ? "" : ` ± ${(100 * deviation).toFixed(2)}`;
      return `${(100 * mean).toFixed(2)}${spread}`;
    }),
  ]);
  const headings = ["arm", "seeds", ...outcomes.map(outcomeName)];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const images = study.part === "test" ? "the test images" : "held-out images";
  return [
    line(headings),
    line(headings.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...rows.map(line),
    "",
    `Top-1 accuracy on ${images} in percent: mean ± standard deviation over seeds.`,
  ].join("\n");
}

const section = (heading: string, sentences: readonly string[]) =>
  sentences.length > 0 ? [`## ${heading}`, list(sentences)] : [];

const list = (sentences: readonly string[]) => sentences.map((sentence) => `- ${plain(sentence)}`).join("\n");

const picture = ({ name, title }: Pick<Figure, "name" | "title">) =>
  `![${plain(title)}](figures/${name}.png)`;

/** Escapes what Markdown or HTML would read in a text that comes from a study's file. */
function plain(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_[\]|#~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
