/**
 * Every sentence that the report of a study and `lyceum compare` say about numbers, by rules.
 *
 * A difference is told from chance where its p, corrected for all arms that are compared at the same place, is below
 * 0.05; no sentence claims more. Intervals are 95 % intervals over seeds, and each sentence says how many seeds.
 */
import { type PairedDifference, type PairedOptions, paired, withoutRepeated } from "./paired.js";
import { claimSentence, claims, headline } from "./sentences/claims.js";
import { oneMoreGenerationSentence } from "./sentences/cost.js";
import { correctionSentence, designSentence, seedsNeededSentence } from "./sentences/design.js";
import { differenceSentence } from "./sentences/difference.js";
import { meetingSentence } from "./sentences/meeting.js";
import { interimSentence, leftOutSentences, missingSentence } from "./sentences/missing.js";
import { searchSentences } from "./sentences/search.js";
import type { StudyResult } from "./types.js";

/** All that can be said of a study, in the order in which it is read. */
export interface StudySentences {
  /** The verdict on the study's claim, empty where no arm stands out; of a search, which arm is the best. */
  headline: string[];
  /** The claim beside each rival, with numbers. */
  claims: string[];
  /** Each comparison with the reference. */
  differences: string[];
  /** Where the line of each arm meets that of the reference. */
  meetings: string[];
  /** What the last generation of each arm costs and gives. */
  costs: string[];
  /** What is missing or left out, how comparisons are corrected, what the design can see. */
  notes: string[];
}

/**
 * Says all that can be said of a study. Of a search on held-out images nothing is claimed or told by p: it says which
 * arm is the best, and leaves the rest to its tables and figures.
 *
 * @throws RangeError when there is no such metric or arm
 */
export function studySentences(study: StudyResult, options: PairedOptions = {}): StudySentences {
  const { reference = study.reference, ...measure } = { ...options, bootstrapSeed: false as const };
  const comparisons = paired(study, { ...measure, reference });
  const isSearch = study.part === "heldOut";
  const about = { ...study, reference };
  const others = study.arms.filter(({ name }) => name !== reference).map(({ name }) => name);
  const said = (sentences: (string | undefined)[]) => sentences.filter((sentence) => sentence !== undefined);
  const verdict = isSearch ? searchSentences(study, measure) : headline(about, measure);
  return {
    headline: verdict,
    claims: claims(about, measure).map((claim) => claimSentence(study, claim)),
    differences: isSearch ? [] : withoutRepeated(comparisons).map((one) => differenceSentence(study, one)),
    meetings: isSearch ? [] : said(others.map((a) => meetingSentence(study, { a, b: reference }, measure))),
    costs: isSearch
      ? []
      : said(study.arms.map(({ name }) => oneMoreGenerationSentence(study, name, measure))),
    notes: said([
      missingSentence(study),
      isSearch || verdict.length === 0 ? undefined : interimSentence(study),
      ...leftOutSentences(comparisons),
      isSearch ? undefined : correctionSentence(comparisons),
      observedDesign(study, comparisons),
      ...(isSearch ? [] : comparisons)
        .filter(({ generation }) => generation === "last")
        .map((one) => seedsNeededSentence(study, one)),
    ]),
  };
}

/**
 * Says what the study's design sees, with the deviation of the differences of last networks: that of all arms
 * pooled, each about its own mean.
 */
function observedDesign(study: StudyResult, comparisons: readonly PairedDifference[]): string | undefined {
  const last = comparisons.filter(({ generation }) => generation === "last");
  const known = last.flatMap(({ deviation, seeds }) =>
    deviation === undefined ? [] : [{ deviation, freedom: seeds.length - 1 }],
  );
  if (known.length === 0)
    return last.some(({ seeds }) => seeds.length === 1)
      ? designSentence({ seeds: 1, deviation: 0 })
      : undefined;
  const freedom = known.reduce((sum, one) => sum + one.freedom, 0);
  const squares = known.reduce((sum, one) => sum + one.deviation ** 2 * one.freedom, 0);
  const deviation = Math.sqrt(squares / freedom);
  // Arms that differ by the same for all seeds leave nothing to reckon with.
  if (deviation === 0) return undefined;
  const { metric } = last[0]!;
  return designSentence({ seeds: study.seeds.length, deviation, metric });
}
