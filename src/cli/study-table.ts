/** Shows a study's results as a table for a terminal. */
import { percent } from "../report/numbers.js";
import { type ArmResult, estimateMean, type Part, partInWords, type StudyResult } from "../study/index.js";
import { table } from "./text.js";

/** Makes the table: for each arm the accuracy by generation and of the ensemble, mean ± deviation over seeds. */
export function studyTable({ arms, part }: StudyResult): string {
  const most = Math.max(...arms.map(({ generations }) => generations));
  const headings = [
    `top-1 on ${partInWords(part)}`,
    "seeds",
    ...Array.from({ length: most }, (_, i) => String(i)),
    "ensemble",
  ];
  const rows = arms.map((arm) => [
    arm.name,
    String(arm.lines.filter(({ networks }) => networks[0]).length),
    ...Array.from({ length: most }, (_, generation) =>
      spread(arm.lines.map(({ networks }) => networks[generation]?.[part]?.top1)),
    ),
    spread(ensembleTop1(arm, part)),
  ]);
  return `${table([headings, ...rows])}\nby generation: mean ± standard deviation over seeds; ensemble: of the whole line`;
}

const ensembleTop1 = ({ lines, generations }: ArmResult, part: Part) =>
  lines.map(({ ensembles }) => ensembles[`0-${generations - 1}`]?.[part]?.top1);

/** Writes the mean of what is there, and its standard deviation where there are two or more. */
function spread(values: readonly (number | undefined)[]): string {
  const known = values.filter((value): value is number => Number.isFinite(value));
  if (known.length === 0) return "";
  const { mean, deviation } = estimateMean(known);
  if (deviation === undefined) return percent(mean);
  return `${(100 * mean).toFixed(2)} ± ${(100 * deviation).toFixed(2)} %`;
}
