/** Where the lines of two arms meet, generation by generation. */
import { compareMeasured, type PairedDifference, type PairedOptions, paired } from "../paired.js";
import { meanOf } from "../statistics/index.js";
import type { ArmResult, StudyResult } from "../types.js";
import { armNamed } from "../values.js";
import { measuredInWords, pText } from "../words.js";
import { differenceWords, findingOf, seedsInWords } from "./difference.js";

/** The lines of two arms beside each other. */
interface Lines {
  arm: ArmResult;
  rival: ArmResult;
  /** The differences by generation; those beyond the rival's last network are with that last one. */
  gaps: PairedDifference[];
}

/**
 * Says where the line of one arm meets that of another: "In the means over 5 seeds tolerant begins 1.9 points below
 * strict at the patriarch and rises above it at the second student; …". Where lines meet is read off the means of the
 * seeds that have all of these generations, and is not tested; so it is only said where the lines differ at some
 * generation by more than chance. The last clause says what is certain of the end, by p as `paired` corrects it.
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
  const gaps = withCommonSeeds(
    Array.from({ length: arm.generations }, (_, g) => g).flatMap((g) =>
      compareMeasured({ arm, of: g }, { arm: rival, of: Math.min(g, rival.generations - 1) }, g, {
        metric,
        part,
      }).filter(({ seeds }) => seeds.length > 0),
    ),
  );
  if (gaps.length < 2) return undefined;
  const lines = { arm, rival, gaps };
  const corrected = paired(study, { metric, part, reference: names.b, bootstrapSeed: false }).filter(
    ({ a, generation }) => a === names.a && (typeof generation === "number" || generation === "last"),
  );
  const last = gaps.at(-1)!;
  // The last networks stand there twice; as "last" they are corrected for the arms of one network too.
  const end = corrected.findLast(({ of }) => of.a === last.of.a && of.b === last.of.b) ?? last;
  return corrected.some((one) => findingOf(one) !== "none")
    ? `${courseOf(lines)}; ${endOf(end, lines)}.`
    : `${arm.name} and ${rival.name} cannot be told apart at any generation; ${endOf(end, lines, ":")}.`;
}

/** Leaves only the seeds that all comparisons have: means of other seeds would not belong to one line. */
function withCommonSeeds(gaps: readonly PairedDifference[]): PairedDifference[] {
  const isCommon = (seed: number) => gaps.every(({ seeds }) => seeds.includes(seed));
  return gaps.flatMap((gap) => {
    const kept = gap.seeds.flatMap((seed, i) => (isCommon(seed) ? [i] : []));
    if (kept.length === 0) return [];
    const differences = kept.map((i) => gap.differences[i]!);
    return [{ ...gap, seeds: kept.map((i) => gap.seeds[i]!), differences, difference: meanOf(differences) }];
  });
}

/** How the means of the lines go, from the first generation to the last. */
function courseOf({ arm, rival, gaps }: Lines): string {
  const [first] = gaps as [PairedDifference];
  const begins = differenceWords(first.metric, first).placed;
  const beginning = `${arm.name} begins ${begins} ${begins === "level" ? "with " : ""}${rival.name} at the ${nameOf(first, arm)}`;
  return `In the means over ${seedsInWords(gaps)} ${beginning} and ${changesOf(gaps, arm)}`;
}

function changesOf(gaps: readonly PairedDifference[], arm: ArmResult): string {
  const signs = gaps.map(({ difference }) => Math.sign(difference));
  const turns = signs.flatMap((sign, i) => (i > 0 && sign !== signs[i - 1] ? [i] : []));
  const [turn] = turns;
  if (turn === undefined) return `stays ${["below it", "level", "above it"][signs[0]! + 1]}`;
  if (turns.length > 1) return `meets it more than once, first at the ${nameOf(gaps[turn]!, arm)}`;
  // Above need not be better: of some metrics less is.
  const verb = signs[turn] === 0 ? "reaches it" : signs[turn]! > 0 ? "rises above it" : "falls below it";
  return `${verb} at the ${nameOf(gaps[turn]!, arm)}`;
}

/** What is certain of the last networks, behind words that say whether it can be told. */
function endOf(
  end: PairedDifference,
  { arm, rival, gaps }: Lines,
  link = findingOf(end) === "none" ? " no difference can be told:" : " it is",
): string {
  const { placed, evidence } = differenceWords(end.metric, end);
  const { of, together, adjusted } = end;
  const beside = of.a === of.b ? "" : `, beside ${rival.name}'s ${measuredInWords(of.b, rival)},`;
  const corrected =
    together > 1 && adjusted !== undefined ? `, p ${pText(adjusted)} for ${together} arms together` : "";
  return `at the ${nameOf(gaps.at(-1)!, arm)}${beside}${link} ${placed}, ${evidence}${corrected}`;
}

const nameOf = ({ of }: PairedDifference, arm: ArmResult) => measuredInWords(of.a, arm);
