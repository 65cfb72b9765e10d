/** What one more generation costs and gives. */
import { compareMeasured, type PairedOptions } from "../paired.js";
import { meanOf } from "../statistics/index.js";
import type { StudyResult } from "../types.js";
import { armNamed, countsProcessor, type Measured, scalarMetric, secondsOf } from "../values.js";
import { durationText, measuredInWords } from "../words.js";
import { differenceWords, findingOf } from "./difference.js";

/**
 * Says what the last generation of an arm costs and gives: the time of its training, and what it has over the
 * generation before, alone and in the ensemble. Each is judged by itself, without a correction for other arms.
 *
 * @returns undefined where the line has one generation, or no seed has its last two
 * @throws RangeError when there is no such arm
 */
export function oneMoreGenerationSentence(
  study: StudyResult,
  name: string,
  { metric = "top1", part = study.part }: Omit<PairedOptions, "reference"> = {},
): string | undefined {
  const arm = armNamed(study, name);
  const last = arm.generations - 1;
  const gain = (of: Measured, before: Measured) => {
    if (last < 1) return undefined;
    const [found] = compareMeasured({ arm, of }, { arm, of: before }, last, { metric, part });
    return found && found.seeds.length > 0 ? found : undefined;
  };
  const alone = gain(last, last - 1);
  if (!alone) return undefined;
  const seconds = arm.lines.flatMap(({ seed, networks }) =>
    alone.seeds.includes(seed) && networks[last] ? secondsOf(networks[last]) : [],
  );
  const clock = countsProcessor(study) ? "processor time" : "training";
  const cost = seconds.length > 0 ? `costs ${durationText(meanOf(seconds))} of ${clock} and ` : "";
  const { placed, evidence } = differenceWords(metric, alone);
  const none = scalarMetric(metric).better ? "no gain can be told over" : "no difference can be told to";
  const told =
    findingOf(alone) === "none"
      ? `${none} the ${measuredInWords(last - 1, arm)}: ${placed}, ${evidence}`
      : `is ${placed} the ${measuredInWords(last - 1, arm)}, ${evidence}`;
  const subject = `One more generation, ${name}'s ${measuredInWords(last, arm)}, ${cost}`;
  const together = gain(`0-${last}`, last > 1 ? `0-${last - 1}` : 0);
  const words = together && differenceWords(metric, together);
  const before = last > 1 ? `that of the first ${last}` : "the patriarch alone";
  const ensemble = !words
    ? ""
    : findingOf(together) === "none"
      ? `; of the ensemble with it ${none} ${before}: ${words.placed}, ${words.evidence}`
      : `; the ensemble with it is ${words.placed} ${before}, ${words.evidence}`;
  return `${subject}${told}${ensemble}.`;
}
