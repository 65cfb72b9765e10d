/** SIGKILL of a rank of two at random moments, under torchrun, which starts all ranks again. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "lyceum/distributed";
import { differingFiles, type EndState, endStateOf, lastWeights } from "../end-state.js";
import type { Fault, Outcome } from "../fault.js";
import type { JobName } from "../jobs.js";
import { ranksOf, torchrun } from "../torchrun.js";
import { type Job, lastLines, lostUntil, type Workplace } from "../workplace.js";

const size = 2;

/** The end to which two ranks come unbroken. */
interface Unbroken {
  end: EndState;
  /** Milliseconds from the ranks' beginning to torchrun's end. */
  milliseconds: number;
}

/** A blow that fell: which moment, in milliseconds of the wall clock. */
interface Blow {
  at: number;
}

/** Waits for a moment of a running job; false where the job ends before. */
type Wait = (milliseconds: number) => Promise<boolean>;

/**
 * Trains a job on two ranks.
 *
 * @param strike is called once the ranks are there, with torchrun's process number
 */
async function train(job: Job, strike: (pid: number, wait: Wait) => Promise<void> = async () => {}) {
  let hasEnded = false;
  const wait: Wait = async (milliseconds) => {
    const until = performance.now() + milliseconds;
    while (!hasEnded && performance.now() < until) await sleep(Math.min(10, milliseconds));
    return !hasEnded;
  };
  let began = 0;
  let striking: Promise<void> | undefined;
  const ended = await torchrun(["train", "job.yaml", "--name", "job"], {
    ...{ cwd: job.folder, processes: size, restarts: 3, port: await freePort() },
    onOutput: (_, { pid }) => {
      striking ??= (async () => {
        while (ranksOf(pid!).size === 0) if (!(await wait(10))) return;
        began = Date.now();
        await strike(pid!, wait);
      })();
    },
  });
  hasEnded = true;
  await striking;
  return { ...ended, began };
}

const unbroken = new WeakMap<Workplace, Map<JobName, Promise<Unbroken>>>();

function unbrokenOf(place: Workplace, name: JobName): Promise<Unbroken> {
  const known = unbroken.get(place) ?? new Map<JobName, Promise<Unbroken>>();
  unbroken.set(place, known);
  const train = known.get(name) ?? trainUnbroken(place, name);
  known.set(name, train);
  return train;
}

async function trainUnbroken(place: Workplace, name: JobName): Promise<Unbroken> {
  const job = place.job(name);
  const { code, output, began, at } = await train(job);
  if (code !== 0) throw new Error(`the unbroken job ${name} on ${size} ranks failed: ${lastLines(output)}`);
  return { end: endStateOf(job.run), milliseconds: at - began };
}

/** Kills a rank; undefined where the job ended before. */
async function killOne(pid: number, wait: Wait, random: () => number): Promise<Blow | undefined> {
  const rank = Math.floor(random() * size);
  // Between two attempts there are no ranks for a while.
  for (let ranks = ranksOf(pid); ; ranks = ranksOf(pid)) {
    const victim = ranks.get(rank);
    if (victim !== undefined) {
      process.kill(victim, "SIGKILL");
      return { at: Date.now() };
    }
    if (!(await wait(10))) return undefined;
  }
}

async function strike(place: Workplace, index: number, random: () => number): Promise<Outcome> {
  const name = place.turn(index);
  const { end, milliseconds } = await unbrokenOf(place, name);
  const job = place.job(name);
  // Where the job was faster than the unbroken one, so that no blow fell, it begins anew and is struck sooner.
  for (let share = 1; share > 0.01; share /= 2) {
    let lost = 0;
    let blows = 0;
    const ended = await train(job, async (pid, wait) => {
      let began = Date.now();
      for (let blow = 0; blow <= index % 2; blow++) {
        if (!(await wait(random() * milliseconds * share))) return;
        const fallen = await killOne(pid, wait, random);
        if (!fallen) return;
        blows++;
        lost = Math.max(lost, lostUntil(fallen.at, job.run, began));
        began = fallen.at;
      }
    });
    if (ended.code === 0 && blows === 0) {
      place.restart(job);
      continue;
    }
    const outcome = judge(job, ended, { end, lost });
    place.clear(job, outcome);
    return outcome;
  }
  return { survived: false, lostSeconds: 0, problem: "no blow fell" };
}

function judge(
  { name, run }: Job,
  ended: { code: number | null; output: string },
  { end, lost }: { end: EndState; lost: number },
): Outcome {
  if (ended.code !== 0)
    return {
      survived: false,
      lostSeconds: lost,
      problem: `exit code ${ended.code}: ${lastLines(ended.output)}`,
    };
  const found = endStateOf(run);
  const weights = lastWeights(end)!;
  const differing = differingFiles(end, found);
  return {
    survived: true,
    bitIdentical: differing.length === 0,
    digest: {
      of: `${name} on ${size} ranks: ${weights}`,
      unbroken: end.get(weights)!,
      found: found.get(weights) ?? "not there",
    },
    lostSeconds: lost,
    problem: differing.length > 0 ? `other than unbroken: ${differing.join(", ")}` : undefined,
  };
}

function missing(): string | undefined {
  if (process.platform !== "linux") return "ranks are found in /proc, which Linux has";
  if (spawnSync("torchrun", ["--help"]).status !== 0)
    return "there is no torchrun (Debian and Ubuntu: apt-get install python3-torch)";
  return undefined;
}

export const ranks: Fault = {
  name: "SIGKILL of a rank under torchrun",
  tries: { full: 50, quick: 0 },
  missing,
  strike,
};
