/** Locks that were left: by a process that died, by one whose number another has now, by another machine, or torn. */
import { spawnSync } from "node:child_process";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import { isSentence, lastLines, type Workplace } from "../workplace.js";

interface Left {
  what: string;
  content: () => string;
  /** Seconds since its holder wrote it last. */
  age?: number;
  /** Whether it is to be respected, until a person removes it. */
  isHeld?: boolean;
}

const dead = () => spawnSync(process.execPath, ["-e", "0"]).pid;
const elsewhere = () => JSON.stringify({ pid: 1, host: "elsewhere", started: null, beat: 20 });

const lefts: readonly Left[] = [
  {
    what: "of a process that died",
    content: () => JSON.stringify({ pid: dead(), host: hostname(), started: null }),
  },
  {
    what: "whose process's number another has now",
    content: () => JSON.stringify({ pid: process.pid, host: hostname(), started: "an earlier boot 1" }),
  },
  { what: "that is torn", content: () => '{"pid": 12' },
  { what: "of another machine, long without a sign of life", content: elsewhere, age: 3600 },
  { what: "of another machine that is at work", content: elsewhere, isHeld: true },
];

async function strike(place: Workplace, index: number): Promise<Outcome> {
  const { what, content, age = 0, isHeld = false } = lefts[index % lefts.length]!;
  const job = await place.halfway(place.turn(index));
  const path = join(job.run, ".lock");
  writeFileSync(path, content());
  const then = Date.now() / 1000 - age;
  utimesSync(path, then, then);
  const ended = await place.train(job);
  if (isHeld && (!isSentence(ended) || !ended.output.includes(path) || !ended.output.includes("elsewhere")))
    return { survived: false, lostSeconds: 0, problem: `${what}: ${lastLines(ended.output)}` };
  if (isHeld) rmSync(path);
  const outcome = isHeld ? await place.finish(job, 0) : await place.judge(job, ended, 0);
  place.clear(job, outcome);
  return outcome.problem === undefined ? outcome : { ...outcome, problem: `${what}: ${outcome.problem}` };
}

export const locks: Fault = {
  name: "a lock that was left",
  tries: { full: 2 * lefts.length, quick: lefts.length - 1 },
  strike,
};
