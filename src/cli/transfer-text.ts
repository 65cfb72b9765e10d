/** Shows a transfer as text for a terminal: a table for each number of training images. */
import { count, nameOf } from "../report/numbers.js";
import { classifiers, pairedSpread, type Spread, spreadOf, type TransferResult } from "../transfer/index.js";
import { table } from "./text.js";

const labels = new Map<string, string>(classifiers.map(({ name, label }) => [name, label]));

/** Gives the lines of a transfer's tables, with an empty line between them. */
export function transferText(result: TransferResult): string {
  const { name, images, classes, layer, generations, scaling, folds } = result;
  const scale = { standardise: "standardised", l2: "of length 1", none: "unscaled" }[scaling];
  const heading =
    `${name}: ${count(images.train)} training and ${count(images.test)} test images of ${classes} classes; ` +
    `features are ${layer}, ${generations[0]!.features} numbers, ${scale}; C by ${folds}-fold cross-validation`;
  return [heading, ...result.shots.map((shots) => shotsText(result, shots))].join("\n\n");
}

function shotsText({ generations, splits }: TransferResult, shots: number | null): string {
  const first = generations[0]!.results.filter((entry) => entry.shots === shots);
  const headings = first.flatMap(({ classifier }) => {
    const label = labels.get(classifier) ?? classifier;
    return [`${label}, top-1 %`, "mean of classes"];
  });
  const rows = generations.map(({ generation, role, results }) => [
    nameOf(generation, role),
    ...results
      .filter((entry) => entry.shots === shots)
      .flatMap(({ top1, meanClassAccuracy }) => [
        points(spreadOf(top1)),
        points(spreadOf(meanClassAccuracy)),
      ]),
  ]);
  const differences = generations
    .slice(1)
    .map(({ generation, role, results }) => [
      `${nameOf(generation, role)} − ${nameOf(generations[0]!.generation, generations[0]!.role)}`,
      ...results
        .filter((entry) => entry.shots === shots)
        .flatMap((entry, i) => [
          points(pairedSpread(entry.top1, first[i]!.top1), { sign: true }),
          points(pairedSpread(entry.meanClassAccuracy, first[i]!.meanClassAccuracy), { sign: true }),
        ]),
    ]);
  const what = shots === null ? "all training images" : `${shots} training images of each class`;
  const note = splits > 1 ? `, mean ± standard deviation over ${splits} draws; differences draw by draw` : "";
  return `${what}${note}\n${table([["", ...headings], ...rows, ...differences])}`;
}

/** A fraction's mean and deviation, in percent. */
function points({ mean, deviation }: Spread, { sign = false } = {}): string {
  const plus = sign && mean > 0 ? "+" : "";
  return `${plus}${(100 * mean).toFixed(2)}${deviation === undefined ? "" : ` ± ${(100 * deviation).toFixed(2)}`}`;
}
