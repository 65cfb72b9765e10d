/** Signals at random moments: SIGKILL, which leaves no time, and SIGTERM, by which schedulers ask. */
import type { Fault, Outcome } from "../fault.js";
import { type Job, lostUntil, type Workplace } from "../workplace.js";

/**
 * Strikes a job at a random moment of its unbroken length, and then goes on with it. Every other try goes on with a second blow
 * before the job may end, so that also what was resumed is struck.
 */
async function struck(
  place: Workplace,
  index: number,
  random: () => number,
  signal: NodeJS.Signals,
): Promise<Outcome> {
  const job = place.job(place.turn(index));
  const { milliseconds } = await place.unbroken(job.name);
  let lost = 0;
  for (let blow = 0; blow <= index % 2; blow++)
    lost = Math.max(lost, await strikeOnce(place, job, random() * milliseconds, signal));
  const outcome = await place.finish(job, lost);
  place.clear(job, outcome);
  return outcome;
}

/** @returns the seconds that were lost */
async function strikeOnce(
  place: Workplace,
  job: Job,
  after: number,
  signal: NodeJS.Signals,
): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  let struckAt: number | undefined;
  const ended = await place.train(job, {
    onOutput: (_, child) => {
      timer ??= setTimeout(() => {
        struckAt = Date.now();
        child.kill(signal);
      }, after);
    },
  });
  clearTimeout(timer);
  if (struckAt === undefined) return 0;
  // What is asked to end may still save; what is killed may not.
  return lostUntil(signal === "SIGKILL" ? struckAt : ended.at, job.run, ended.began);
}

export const kills = (count: { full: number; quick: number }): Fault => ({
  name: "SIGKILL at a random moment",
  tries: count,
  strike: (place, index, random) => struck(place, index, random, "SIGKILL"),
});

export const terms: Fault = {
  name: "SIGTERM at a random moment",
  tries: { full: 40, quick: 2 },
  strike: (place, index, random) => struck(place, index, random, "SIGTERM"),
};
