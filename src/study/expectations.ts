/** What a researcher expects of a comparison, written as "tolerant > strict", and whether it is shown. */
import { compareAt, type PairedDifference, type PairedOptions } from "./paired.js";
import { ALPHA, differenceWords, sidesInWords } from "./sentences/difference.js";
import { estimateMean, holm } from "./statistics/index.js";
import type { StudyResult } from "./types.js";
import { armNamed, measuredAt, type Place, scalarMetric } from "./values.js";
import { differenceText, pText } from "./words.js";

/** The expectation that the metric of one arm is above (or below) that of another, by more than a margin. */
export interface Expectation {
  /** As it was written. */
  text: string;
  a: string;
  relation: ">" | "<";
  b: string;
  /** What is added to b's value, in the unit that is shown: percent points for fractions. */
  margin: number;
  generation: Place;
}

export interface JudgedExpectation extends Expectation {
  shown: boolean;
  /** The p of the two-sided paired t test against the margin, after Holm's correction for all expectations. */
  adjusted: number | undefined;
  sentence: string;
}

/**
 * Parses an expectation: `A>B`, `A<B`, with a margin (`A>B+0.5`, `A>B-0.3`) and a place (`A>B@ensemble`, `A>B@0`,
 * `A>B@0-2`). Without a place the last networks are meant.
 *
 * @throws RangeError that says what is wrong with it
 */
export function parseExpectation(text: string, study: Pick<StudyResult, "arms">): Expectation {
  const [, left, relation, right, at] = /^([^<>@]+)([<>])([^<>@]+)(?:@([^<>@]+))?$/.exec(text) ?? [];
  if (left === undefined || relation === undefined || right === undefined)
    throw new RangeError(
      `"${text}": an expectation looks like "tolerant>strict", "tolerant>strict-0.5" or "tolerant>strict@ensemble"`,
    );
  const a = armNamed(study, left.trim()).name;
  const { name: b, margin } = armAndMargin(right.trim(), study);
  if (a === b) throw new RangeError(`"${text}": compares ${a} with itself`);
  const generation = placeOf(at?.trim() ?? "last", text);
  for (const arm of [a, b])
    if (measuredAt(armNamed(study, arm), generation) === undefined)
      throw new RangeError(`"${text}": the line of ${arm} has no ${generation}`);
  return { text, a, relation: relation as ">" | "<", b, margin, generation };
}

/** An arm's name may end like a margin, such as "k-5": the whole is looked for first. */
function armAndMargin(text: string, study: Pick<StudyResult, "arms">): { name: string; margin: number } {
  if (study.arms.some(({ name }) => name === text)) return { name: text, margin: 0 };
  const [, name, sign, size] = /^(.+?)\s*([+-])\s*(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (name === undefined) return { name: armNamed(study, text).name, margin: 0 };
  return { name: armNamed(study, name).name, margin: sign === "-" ? -Number(size) : Number(size) };
}

function placeOf(text: string, expectation: string): Place {
  if (text === "last" || text === "ensemble") return text;
  if (text === "patriarch") return 0;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  if (/^0-[1-9]\d{0,3}$/.test(text)) return text as Place;
  throw new RangeError(
    `"${expectation}": after @ comes a generation's number, last, ensemble, or the ensemble of some generations like 0-2`,
  );
}

/**
 * Judges expectations. One is shown where the paired t test finds the difference on its side of the margin, with a
 * p below 0.05 after Holm's correction for all expectations: the arms that nobody expected anything of do not count.
 *
 * @returns in the same order
 */
export function judge(
  study: StudyResult,
  expectations: readonly Expectation[],
  { metric = "top1", part = study.part }: Pick<PairedOptions, "metric" | "part"> = {},
): JudgedExpectation[] {
  const { factor } = differenceText(scalarMetric(metric));
  const tested = expectations.map((expectation) => {
    const [a, b] = [armNamed(study, expectation.a), armNamed(study, expectation.b)];
    const [comparison] = compareAt(a, b, expectation.generation, { metric, part });
    const beyond = comparison?.differences.map((value) => value - expectation.margin / factor) ?? [];
    return { expectation, comparison, estimate: beyond.length > 0 ? estimateMean(beyond) : undefined };
  });
  const adjusted = holm(tested.map(({ estimate }) => estimate?.p));
  return tested.map(({ expectation, comparison, estimate }, i) => {
    const p = adjusted[i];
    const isOnSide =
      estimate !== undefined && (expectation.relation === ">" ? estimate.mean > 0 : estimate.mean < 0);
    const shown = isOnSide && p !== undefined && p < ALPHA;
    const reason = comparison
      ? reasonOf(study, comparison, { p, together: adjusted.filter((value) => value !== undefined).length })
      : "there is nothing to compare: no values, or the same networks on both sides";
    const sentence = `Expected ${expectation.text}: ${shown ? "shown" : "not shown"}; ${reason}.`;
    return { ...expectation, shown, adjusted: p, sentence };
  });
}

function reasonOf(
  study: StudyResult,
  comparison: PairedDifference,
  { p, together }: { p: number | undefined; together: number },
): string {
  const [a, b] = sidesInWords(study, comparison);
  if (comparison.seeds.length === 0) return `no seed has both ${a} and ${b}`;
  const { placed, evidence } = differenceWords(comparison.metric, comparison);
  const corrected = together > 1 ? ` for ${together} expectations together` : "";
  const test = p === undefined ? "" : `, p ${pText(p)}${corrected}`;
  return `${a} is ${placed === "level" ? "level with" : placed} ${b}, ${evidence}${test}`;
}
