/** Where the lines of two arms meet, generation by generation. */
import { compareMeasured, type PairedDifference, type PairedOptions } from "../paired.js";
import type { ArmResult, StudyResult } from "../types.js";
import { armNamed } from "../values.js";
import { measuredInWords } from "../words.js";
import { differenceWords, findingOf } from "./difference.js";

/**
 * Says where the line of one arm meets that of another: "tolerant begins 1.9 points below strict and passes it at
 * the second student; …". Where lines meet is read off the means; the last clause says what is certain of the
 * end. Generations beyond the other's last are compared with that last one.
 *
 * @returns undefined where fewer than two generations of both can be compared, or a line is a single network
 * @throws RangeError when there is no such arm
 */
export function meetingSentence(
  study: StudyResult,
  names: { a: string; b: string },
  { metric = "top1", part = study.part }: Omit<PairedOptions, "reference"> = {},
): string | undefined {
  const [arm, rival] = [armNamed(study, names.a), armNamed(study, names.b)];
  if (arm.generations < 2 || rival.generations < 2) return undefined;
  const gaps = Array.from({ length: arm.generations }, (_, g) => g).flatMap((g) =>
    compareMeasured({ arm, of: g }, { arm: rival, of: Math.min(g, rival.generations - 1) }, g, {
      metric,
      part,
    }).filter(({ seeds }) => seeds.length > 0),
  );
  if (gaps.length < 2) return undefined;
  const [first, last] = [gaps[0]!, gaps.at(-1)!];
  const begins = differenceWords(metric, first).placed;
  const beginning = `${arm.name} begins ${begins} ${begins === "level" ? "with " : ""}${rival.name} at the ${nameOf(first, arm)}`;
  return `${beginning} and ${courseOf(gaps, arm)}; ${endOf(last, { arm, rival })}.`;
}

/** What happens between the first and the last generation. */
function courseOf(gaps: readonly PairedDifference[], arm: ArmResult): string {
  const signs = gaps.map(({ difference }) => Math.sign(difference));
  const turns = signs.flatMap((sign, i) => (i > 0 && sign !== signs[i - 1] ? [i] : []));
  const [turn] = turns;
  if (turn === undefined) {
    if (signs[0] === 0) return "stays level";
    return signs[0]! > 0 ? "stays above it" : `does not meet it within ${gaps.length} generations`;
  }
  if (turns.length > 1) return `meets it more than once, first at the ${nameOf(gaps[turn]!, arm)}`;
  const verb = signs[turn] === 0 ? "reaches it" : signs[turn]! > 0 ? "passes it" : "falls behind it";
  return `${verb} at the ${nameOf(gaps[turn]!, arm)}`;
}

function endOf(last: PairedDifference, { arm, rival }: { arm: ArmResult; rival: ArmResult }): string {
  const { placed, evidence } = differenceWords(last.metric, last);
  const beside =
    last.of.a === last.of.b ? "" : `, beside ${rival.name}'s ${measuredInWords(last.of.b, rival)},`;
  const at = `at the ${nameOf(last, arm)}${beside}`;
  return findingOf(last) === "none"
    ? `${at} no difference can be told: ${placed}, ${evidence}`
    : `${at} it is ${placed}, ${evidence}`;
}

const nameOf = ({ of }: PairedDifference, arm: ArmResult) => measuredInWords(of.a, arm);
