/** Shows a comparison as text for a terminal: tables of means and of differences, and what they say. */
import { metricText } from "../report/numbers.js";
import {
  armValues,
  differenceText,
  differenceWords,
  estimateMean,
  type Interval,
  type JudgedExpectation,
  type Measure,
  type PairedDifference,
  partInWords,
  placeInWords,
  pText,
  type StudyResult,
  type StudySentences,
  scalarMetric,
  sidesInWords,
  withoutRepeated,
} from "../study/index.js";
import { table } from "./text.js";

/** What a comparison came to. */
export interface Comparison {
  measure: Measure;
  reference: string;
  paired: readonly PairedDifference[];
  sentences: StudySentences;
  expectations: readonly JudgedExpectation[];
}

/** Puts the parts of a comparison together, with an empty line between them. */
export function comparisonText(
  study: StudyResult,
  { measure, reference, paired, sentences, expectations }: Comparison,
): string {
  const { label } = scalarMetric(measure.metric);
  const parts = [
    [`${study.title}: ${label} on ${partInWords(measure.part)}`, ...sentences.headline],
    [meansTable(study, measure)],
    paired.length > 0 ? [differenceTable(study, paired, { reference, ...measure })] : [],
    sentences.claims.length > 0 ? sentences.claims : sentences.differences,
    sentences.meetings,
    sentences.costs,
    [...sentences.notes, ...study.notes],
    expectations.map(({ sentence }) => sentence),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function meansTable({ arms }: StudyResult, measure: Measure): string {
  const metric = scalarMetric(measure.metric);
  const most = Math.max(...arms.map(({ generations }) => generations));
  const cell = (values: readonly (number | null | undefined)[]) => {
    const known = values.filter((value) => value !== null && value !== undefined);
    if (known.length === 0) return "";
    const { mean, deviation, count } = estimateMean(known);
    const spread = deviation === undefined ? "" : ` ± ${metricText(metric, deviation)}`;
    return `${metricText(metric, mean).replace(spread ? / %$/ : "", "")}${spread} (${count})`;
  };
  const rows = arms.map((arm) => {
    const { generations, ensemble } = armValues(arm, measure);
    return [
      arm.name,
      ...Array.from({ length: most }, (_, g) => cell(generations.map((row) => row[g]))),
      arm.generations > 1 ? cell(ensemble) : "",
    ];
  });
  const places = Array.from({ length: most }, (_, g) => placeInWords(g));
  const headings = [metric.label, ...(most === 1 ? ["network"] : places), "ensemble"];
  const note = "mean ± standard deviation over seeds (number of seeds); ensemble: of the whole line";
  return `${withoutEmpty([headings, ...rows])}\n${note}`;
}

function differenceTable(
  study: StudyResult,
  paired: readonly PairedDifference[],
  { reference, metric }: Measure & { reference: string },
): string {
  // A search chooses and tests nothing: intervals show how sure its differences are.
  const isSearch = study.part === "heldOut";
  const rows = withoutRepeated(paired).map((comparison) => {
    const { difference, low, high, simultaneous, bootstrap, p, adjusted, together, seeds } = comparison;
    const { number } = differenceWords(metric, comparison);
    const ends = (interval: Interval | undefined) =>
      interval ? `${number(interval.low)} to ${number(interval.high)}` : "";
    return [
      sidesInWords(study, comparison).join(" − "),
      seeds.length === 0 ? "" : `${difference > 0 ? "+" : ""}${number(difference)}`,
      ends(low === undefined || high === undefined ? undefined : { low, high }),
      ends(simultaneous),
      ends(bootstrap),
      p === undefined || isSearch ? "" : pText(p),
      p === undefined || together === 1 || isSearch ? "" : pText(adjusted),
      String(seeds.length),
    ];
  });
  const { unit } = differenceText(scalarMetric(metric));
  const headings = [
    `less ${reference}`,
    `difference${unit ? `,${unit}` : ""}`,
    "95 % interval",
    "all arms together",
    "bootstrap",
    "p",
    "p, corrected",
    "seeds",
  ];
  const note =
    "95 % interval over seeds, paired by seed (Student's t); all arms together: simultaneous, by Bonferroni; " +
    `bootstrap: BCa, from 5 seeds${isSearch ? "" : "; p corrected by Holm's method for the arms at the same place"}`;
  return `${withoutEmpty([headings, ...rows])}\n${note}`;
}

/** Lays rows out as a table, without the columns that have a heading alone. */
function withoutEmpty(rows: readonly (readonly string[])[]): string {
  const kept = rows[0]!.map((_, c) => c === 0 || rows.slice(1).some((row) => row[c]));
  return table(rows.map((row) => row.filter((_, c) => kept[c])));
}
