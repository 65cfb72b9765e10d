/** A clock that jumps by a day to and fro while the job trains. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import { missingCompiler, preloadIn } from "../preload.js";
import { lastLines, type Workplace } from "../workplace.js";

const day = 86_400;

async function strike(place: Workplace, index: number): Promise<Outcome> {
  const job = place.job(place.turn(index));
  const env = { LD_PRELOAD: preloadIn(place.root), FAULTS_CLOCK: String(day) };
  const ended = await place.train(job, { env });
  const outcome = await place.judge(job, ended, 0);
  if (outcome.problem !== undefined) return outcome;
  const problem = absurdTimes(job.run, (ended.at - ended.began) / 1000) ?? negative(ended.output);
  place.clear(job, { ...outcome, problem });
  return problem === undefined ? outcome : { ...outcome, survived: false, problem };
}

/** Finds a duration that cannot be, and makes sure that the clock did jump. */
function absurdTimes(run: string, most: number): string | undefined {
  const dates: number[] = [];
  let absurd: string | undefined;
  const look = (key: string, value: unknown) => {
    if (key === "date") dates.push(Date.parse(String(value)));
    if (/seconds$/i.test(key) && !(Number(value) >= 0 && Number(value) <= most))
      absurd ??= `${key} is ${value}`;
    return value;
  };
  JSON.parse(readFileSync(join(run, "summary.json"), "utf8"), look);
  for (const line of readFileSync(join(run, "metrics.jsonl"), "utf8").trim().split("\n"))
    JSON.parse(line, look);
  const span = (Math.max(...dates) - Math.min(...dates)) / 1000;
  return span < day / 2 ? "the clock did not jump" : absurd;
}

const negative = (output: string) => (/-\d+ (s|min|h)\b/.test(output) ? lastLines(output) : undefined);

export const clock: Fault = {
  name: "the clock jumps by a day",
  tries: { full: 4, quick: 1 },
  missing: missingCompiler,
  strike,
};
