/** The claim that one arm's line ends better than the others': how it comes out, and the headline that says so. */
import { type PairedDifference, type PairedOptions, paired, swapped } from "../paired.js";
import type { ArmResult, StudyResult } from "../types.js";
import { scalarMetric } from "../values.js";
import { listed, partInWords, pText } from "../words.js";
import { ALPHA, differenceWords, findingOf, seedsInWords, sidesInWords } from "./difference.js";

/** How a claim comes out. It holds where a difference is told, and does not where one is told the other way. */
export type Verdict = "holds" | "does not hold" | "cannot be told";

export interface Claim {
  /** The arm that is claimed to be better. */
  arm: string;
  rival: string;
  /** Whether the claim is about the last networks or about the ensembles of the lines. */
  of: "last" | "ensemble";
  verdict: Verdict;
  /** The arm compared with the rival; its p is corrected for all rivals. */
  comparison: PairedDifference;
}

export interface ClaimOptions extends Omit<PairedOptions, "reference"> {
  /** The arm that is claimed to be better than all others. Default: see {@link claimedArm}. */
  arm?: string;
}

/**
 * Names the arm that a study's claims are about: the one that its file claims; otherwise the one that is called
 * "tolerant" or "tsd"; otherwise the only one with a tolerant patriarch (the top score difference), by its name or
 * its method in words; otherwise, of two arms, the one that is not the reference. Several tolerant arms, which are
 * variants of each other, and a search, which chooses, have no such arm.
 *
 * @returns undefined where no arm stands out
 */
export function claimedArm({
  arms,
  reference,
  part,
  claim,
}: Pick<StudyResult, "arms" | "reference" | "part" | "claim">): string | undefined {
  if (part === "heldOut") return undefined;
  if (claim) return claim.arm;
  const named = arms.find(({ name }) => /^(tolerant|tsd)$/i.test(name));
  if (named) return named.name;
  const tolerant = arms.filter(
    ({ name, methods }: ArmResult) =>
      /^(tolerant|tsd)\b/i.test(name) || /^tolerant|top.score.difference/i.test(methods[0]?.[1] ?? ""),
  );
  if (tolerant.length === 1) return tolerant[0]!.name;
  return arms.length === 2 ? arms.find(({ name }) => name !== reference)?.name : undefined;
}

/**
 * Judges the claim that one arm's line ends better than each of the others, by its last network and by its ensemble.
 * The p are corrected for all rivals, those that the file names or all others, by Holm's method, those of networks
 * and of ensembles each.
 *
 * @returns none where no arm stands out, or the metric has no better end
 * @throws RangeError when there is no such metric or arm
 */
export function claims(study: StudyResult, { arm, ...options }: ClaimOptions = {}): Claim[] {
  const name = arm ?? claimedArm(study);
  const { better } = scalarMetric(options.metric ?? "top1");
  if (name === undefined || better === undefined) return [];
  const rivals = study.claim?.arm === name ? study.claim.over : undefined;
  const arms = study.arms.filter((one) => !rivals || one.name === name || rivals.includes(one.name));
  const comparisons = paired({ ...study, arms }, { ...options, reference: name }).map(swapped);
  return (["last", "ensemble"] as const).flatMap((of) =>
    comparisons
      .filter(({ generation }) => generation === of)
      .map((comparison) => ({
        arm: name,
        rival: comparison.b,
        of,
        verdict: verdictOf(comparison, better),
        comparison,
      })),
  );
}

function verdictOf(comparison: PairedDifference, better: "higher" | "lower"): Verdict {
  const finding = findingOf(comparison);
  if (finding === "none") return "cannot be told";
  return finding === (better === "higher" ? "above" : "below") ? "holds" : "does not hold";
}

/**
 * Says how one claim comes out, with its numbers: "That tolerant's second student is higher than strict's holds: it
 * is 0.9 points above, …".
 */
export function claimSentence(study: StudyResult, { verdict, comparison }: Claim): string {
  const [a, b] = sidesInWords(study, comparison);
  const { better } = scalarMetric(comparison.metric);
  const head = `That ${a} is ${better} than ${b} ${verdict}`;
  if (comparison.seeds.length === 0) return `${head}: no seed has both.`;
  const { placed, evidence, write } = differenceWords(comparison.metric, comparison);
  const { together, p, adjusted, low, high } = comparison;
  const corrected = together > 1 ? `, p ${pText(adjusted)} for ${together} rivals together` : "";
  if (verdict !== "cannot be told") return `${head}: it is ${placed}, ${evidence}${corrected}.`;
  // One of many intervals may leave 0 out by chance: the sentence says why that is not enough.
  const but = p !== undefined && p < ALPHA ? ", which is too much for so many rivals" : "";
  // What an undecided claim leaves room for is the better end of its interval.
  const most = better === "lower" ? low && 0 - low : high;
  const left = most !== undefined && most > 0 ? `; it could be better by up to ${write(most)}` : "";
  return `${head}: it is ${placed}, ${evidence}${corrected}${but}${left}.`;
}

/**
 * Says the result of a study in its first sentences: against how many rivals the claim holds, does not hold or
 * cannot be told, for the last networks and for the ensembles. Where not all seeds are there, it says of how many.
 *
 * @returns none where `claims` gives none, and where no pair of lines is finished
 */
export function headline(study: StudyResult, options: ClaimOptions = {}): string[] {
  const all = claims(study, options);
  return (["last", "ensemble"] as const).flatMap((of) => {
    // A rival of which no seed is finished says nothing yet.
    const some = all.filter((claim) => claim.of === of && claim.comparison.seeds.length > 0);
    return some.length > 0 ? [verdictSentence(some, study.seeds.length)] : [];
  });
}

function verdictSentence(some: readonly Claim[], planned: number): string {
  const { arm, of, comparison } = some[0]!;
  const { better, label } = scalarMetric(comparison.metric);
  const subject = of === "last" ? `${arm}'s line ends ${better}` : `${arm}'s ensemble is ${better}`;
  const comparisons = some.map((one) => one.comparison);
  const complete = comparisons.every(({ seeds }) => seeds.length === planned);
  const seeds = `${seedsInWords(comparisons)}${complete ? "" : ` of ${planned}`}`;
  const where = `${label} on ${partInWords(comparison.part)}, ${seeds}`;
  if (some.length === 1)
    return `The claim that ${subject} than ${some[0]!.rival}'s ${some[0]!.verdict} (${where}).`;
  const parts = (["holds", "does not hold", "cannot be told"] as const).flatMap((verdict) => {
    const rivals = some.filter((claim) => claim.verdict === verdict).map(({ rival }) => `${rival}'s`);
    return rivals.length > 0 ? [`${verdict} beside ${listed(rivals)}`] : [];
  });
  return `The claim that ${subject} than the others' ${listed(parts)} (${where}).`;
}
