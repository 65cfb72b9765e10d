/** Writes that fail: after so many calls every further one ends with an error, as on a disk that is full, fails, or is read only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import { type errors, failing, missingCompiler, preloadIn } from "../preload.js";
import { isSentence, lastLines, lostUntil, type Workplace } from "../workplace.js";

/** The most calls that succeed before; a job makes a few hundred of each kind. */
const most: Record<string, number> = { owfr: 400, w: 200, f: 60, r: 30 };

interface Kind {
  error: keyof typeof errors;
  /** What fails, by the letters of faults.c. */
  calls: string;
  /** What the message must say beside the file. */
  says: RegExp;
}

async function strike(
  place: Workplace,
  index: number,
  random: () => number,
  { error, calls, says }: Kind,
): Promise<Outcome> {
  const library = preloadIn(place.root);
  const job = place.job(place.turn(index));
  const mark = join(job.folder, "struck");
  let after = Math.floor(random() * most[calls]!);
  // Where the job ends before, nothing was tried.
  for (;;) {
    const env = failing(library, { folder: join(job.folder, "runs"), calls, after, error, mark });
    const ended = await place.train(job, { env });
    if (!existsSync(mark) && ended.code === 0 && after > 0) {
      after = Math.floor(after / 2);
      place.restart(job);
      continue;
    }
    const lost = lostUntil(ended.at, job.run, ended.began);
    if (ended.code === 0) return { survived: false, lostSeconds: 0, problem: "no call failed" };
    if (!isSentence(ended) || !says.test(ended.output) || !ended.output.includes("runs/job"))
      return { survived: false, lostSeconds: lost, problem: `after ${after}: ${lastLines(ended.output)}` };
    const outcome = await place.finish(job, lost);
    place.clear(job, outcome);
    return outcome;
  }
}

const fault = (name: string, tries: Fault["tries"], kind: Kind): Fault => ({
  name,
  tries,
  missing: missingCompiler,
  strike: (place, index, random) => strike(place, index, random, kind),
});

export const failingWrites: readonly Fault[] = [
  fault("the disk is full", { full: 30, quick: 2 }, { error: "ENOSPC", calls: "w", says: /full.*free/ }),
  fault("writes fail", { full: 15, quick: 1 }, { error: "EIO", calls: "w", says: /the disk failed|EIO/ }),
  fault("flushing fails", { full: 15, quick: 1 }, { error: "EIO", calls: "f", says: /the disk failed|EIO/ }),
  fault("renaming fails", { full: 15, quick: 1 }, { error: "EIO", calls: "r", says: /the disk failed|EIO/ }),
  fault(
    "the folder is read only",
    { full: 20, quick: 2 },
    { error: "EROFS", calls: "owfr", says: /read only/ },
  ),
];
