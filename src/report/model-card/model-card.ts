/** The model card of a trained network: README.md beside its weights, as Hugging Face's Hub shows it. */
import { basename } from "node:path";
import { readableClass } from "../../interop/index.js";
import type { Recipe } from "../../recipe/index.js";
import { recipeToYaml } from "../../recipe/index.js";
import { type Sittings, withoutPlace } from "../../runs/index.js";
import type { Summary } from "../../runs/types.js";
import { factsOf } from "../facts.js";
import { headline } from "../headline.js";
import { count, nameOf, plural } from "../numbers.js";
import { resultRows } from "../result-rows.js";
import { frontMatter, nameOfImages } from "./front-matter.js";
import { codeBlock, plainText, textTable } from "./markdown.js";
import { usage } from "./usage.js";

/** What a card says of the run from which its network is. */
export interface CardRun {
  /** The name of the run's folder. */
  name: string;
  /** The generation of the network. */
  generation: number;
  recipe: Recipe;
  summary: Summary;
  environment: Sittings | undefined;
  /** The number of test images, where stored logits tell it. */
  testImages: number | undefined;
  /** What the generations learn from: pairs of a heading and a text. */
  methodLines: readonly (readonly [string, string])[];
  /** The data set's name on the Hub, where it is there. */
  hubName: string | undefined;
}

export interface CardContent {
  /** The name of the folder in which the card lies. */
  folder: string;
  /** The network's name in timm. */
  architecture: string;
  /** Channels, height and width of an image. */
  size: readonly [channels: number, height: number, width: number];
  /** The number of classes. */
  classes: number;
  /** In the order of the logits; undefined where they are not known. */
  classNames: readonly string[] | undefined;
  /** The version of Lyceum that writes the card. */
  lyceum: string;
  /** Undefined where the weights do not belong to a finished generation of a run. */
  run: CardRun | undefined;
}

/**
 * Writes a model card. It says what the files say and nothing else: what is not known, such as a licence or what the network should
 * not be used for, is left out.
 */
export function modelCard(content: CardContent): string {
  const { folder, run, lyceum, size } = content;
  const result = run?.summary.generations[run.generation];
  const measured = run &&
    result && { name: folder, data: run.recipe.data, hubName: run.hubName, test: result.test };
  const sections = [
    `# ${plainText(run && run.name !== run.summary.title ? `${run.name}: ${run.summary.title}` : folder)}`,
    aboutNetwork(content),
    ...(run && result ? [results(run), data(run), training(run)] : []),
    usage({ folder, channels: size[0] }),
    `Written by Lyceum ${plainText(lyceum)}.`,
  ];
  return `${frontMatter(measured)}\n${sections.map((section) => section.trimEnd()).join("\n\n")}\n`;
}

/** The number of class names that are shown: a thousand would hide everything else. */
const MOST_NAMES = 100;

function aboutNetwork({ architecture, size, classes, classNames, run }: CardContent): string {
  const [channels, height, width] = size;
  const colour = channels === 3 ? "colour" : channels === 1 ? "grey" : `${channels}-channel`;
  const parts = [
    `\`${architecture}\` that tells ${count(classes)} classes apart in ${colour} images of ${width} x ${height} pixels.`,
  ];
  if (run) {
    const { role } = run.summary.generations[run.generation]!;
    const place = role === "patriarch" ? "the patriarch" : nameOf(run.generation, role);
    const { length } = run.summary.generations;
    parts.push(
      `It is ${place} of a line of ${plural(length, "network")} of one architecture that were trained one after another ` +
        "(after Yang, Xie, Qiao, Yuille, *Training Deep Neural Networks in Generations*, AAAI 2019, arXiv:1805.05551).",
    );
  }
  if (classNames) {
    const shown = classNames
      .slice(0, MOST_NAMES)
      .map((name) => plainText(readableClass(name)))
      .join(", ");
    const rest = classNames.length - MOST_NAMES;
    parts.push(
      `\nClasses: ${shown}${rest > 0 ? ` and ${count(rest)} more, all of which \`config.json\` lists` : ""}.`,
    );
  }
  return parts.join("\n");
}

function results({ summary, testImages, generation, recipe }: CardRun): string {
  const { headings, rows, notes } = resultRows("report", summary);
  const marked = rows.map(([name = "", ...cells], i) => [
    i === generation ? `${name} (this network)` : name,
    ...cells,
  ]);
  const images = testImages === undefined ? "the test images" : `the ${count(testImages)} test images`;
  const heldOut =
    recipe.data.heldOut > 0 ? " Choices can be made on held-out training images, which no network saw." : "";
  return [
    "## Results",
    headline(summary, { testImages }).map(plainText).join(" "),
    textTable(["", ...headings], marked),
    `All on ${images}, which were read once a generation, after its last epoch: no epoch was chosen by them. An ensemble is the mean ` +
      `of its members' scores.${heldOut}${notes.map((note) => ` ${plainText(note)}.`).join("")}`,
  ].join("\n\n");
}

function data({ recipe, hubName }: CardRun): string {
  const name = plainText(nameOfImages(recipe.data));
  const link = hubName === undefined ? "" : ` ([${hubName}](https://huggingface.co/datasets/${hubName}))`;
  return `## Data\n\n${name}${link}; what was taken of it and how it was changed for training is below.`;
}

function training({ recipe, summary, environment, methodLines, name }: CardRun): string {
  const { root, ...rest } = recipe.data;
  const shown = { ...recipe, data: root === undefined ? rest : { ...rest, root: basename(root) } } as Recipe;
  const facts = factsOf(shown, summary.generations, methodLines);
  const sittings = environment ? [environment, ...environment.resumed] : [];
  const made = sittings.map(
    ({ lyceum, commit, libtorch, machine, threads, device, date, ranks }) =>
      `Lyceum ${lyceum}${commit ? ` (commit ${commit})` : ""}, libtorch ${libtorch}, ${machine.cpu}, ${machine.os}, ` +
      `${device}, ${threads} threads${ranks ? ` in each of ${ranks} processes` : ""}, ${date}`,
  );
  return [
    "## Training",
    textTable(["", `run ${name}`], facts).replace("---:", "---"),
    ...(made.length > 0 ? [`Made with:\n\n${made.map((line) => `- ${plainText(line)}`).join("\n")}`] : []),
    "The whole recipe, every default written out; `npx lyceum train recipe.yaml` trains it anew:",
    codeBlock("yaml", recipeToYaml(withoutPlaces(recipe))),
  ].join("\n\n");
}

/** Leaves out of a recipe where files lie on the machine that trained. */
function withoutPlaces(recipe: Recipe): Recipe {
  const { root: _, ...data } = recipe.data;
  return {
    ...recipe,
    data,
    patriarch: withoutPlace(recipe.patriarch),
    student: withoutPlace(recipe.student),
    ...(recipe.fineTune && { fineTune: withoutPlace({ ...recipe.fineTune }) }),
  } as Recipe;
}
