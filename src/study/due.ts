/** Which networks of a study are to be trained, as its folder shows. */
import type { PlannedNetwork } from "./plan.js";
import { type StudyFolder, shortOf } from "./study-folder.js";

/** Lists the networks that are to be trained, in the order of the plan. */
export function toTrain(
  folder: StudyFolder,
  mine: readonly PlannedNetwork[],
  all: readonly PlannedNetwork[],
): PlannedNetwork[] {
  const { due } = whatIsDue(folder, all);
  return mine.filter(({ fingerprint }) => due.has(fingerprint));
}

/**
 * Tells which networks are to be trained: those that are not finished, and those that are to teach one of these and
 * whose weights are not there. It takes one look at the folder, and one at each network.
 *
 * @param all the networks of the whole study, teachers before students
 * @returns their fingerprints, and those of the networks whose weights they need
 */
export function whatIsDue(
  folder: StudyFolder,
  all: readonly PlannedNetwork[],
): { due: Set<string>; needed: Set<string> } {
  const { finished, weights } = folder.list();
  const due = new Set<string>();
  const needed = new Set<string>();
  for (const { fingerprint, teachers } of [...all].reverse()) {
    const short = shortOf(fingerprint);
    if (finished.has(short) && (weights.has(short) || !needed.has(fingerprint))) continue;
    due.add(fingerprint);
    for (const teacher of teachers) needed.add(teacher);
  }
  return { due, needed };
}
