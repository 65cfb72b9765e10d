/** What is done with a finished run: transfers and features, killed, on a full disk, and with what was begun of them damaged. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, lyceum } from "../command.js";
import { differingFiles, type EndState, endStateOf, sha256OfAll } from "../end-state.js";
import type { Fault, Outcome } from "../fault.js";
import { failing, missingCompiler, preloadIn } from "../preload.js";
import { isSentence, type Job, lastLines, lostUntil, type Workplace } from "../workplace.js";
import { damages } from "./damaged-files.js";

const data = "synthetic,size=8,classes=4,channels=1,trainCount=60,testCount=40";

/** One of the commands. */
interface Command {
  /** What the SHA-256 of its end is of. */
  name: string;
  args: readonly string[];
  /** The folder, from the job's, that it writes into. */
  writes: string;
  end(job: Job): EndState;
}

const transfer: Command = {
  name: "transfer",
  // Those classifiers that every build has.
  args: ["transfer", "job", "--data", data, "--name", "small", "--classifiers", "logistic,knn"].concat(
    ["--shots", "3,4", "--splits", "3"], // Two parts a generation, so that there is something to go on with.
  ),
  writes: "runs/job",
  end: ({ run }) => endStateOf(run),
};

const features = (ending: string): Command => ({
  name: `features, .${ending}`,
  args: ["features", "job", "--data", data, "--out", `out/small.${ending}`],
  writes: "out",
  end: ({ folder }) => {
    const sha256 = (name: string) =>
      createHash("sha256")
        .update(readFileSync(join(folder, "out", name)))
        .digest("hex");
    return new Map(readdirSync(join(folder, "out")).map((name) => [name, sha256(name)]));
  },
});
const endings = ["safetensors", "npy"];

/** Gives a job that came to its end unbroken, in a folder of its own. */
async function finished(place: Workplace, index: number): Promise<Job> {
  const job = place.job(place.turn(index));
  await place.unbroken(job.name);
  place.copyRun(join(place.root, `unbroken-${job.name}`, "runs"), job);
  mkdirSync(join(job.folder, "out"));
  return job;
}

const run = ({ args }: Command, { folder }: Job, options: Omit<Parameters<typeof lyceum>[1], "cwd"> = {}) =>
  lyceum(args, { cwd: folder, ...options });

interface Whole {
  end: EndState;
  milliseconds: number;
}
const whole = new WeakMap<Workplace, Map<string, Promise<Whole>>>();

/** Gives the end to which a command comes unbroken. */
function unbroken(place: Workplace, command: Command, index: number): Promise<Whole> {
  const known = whole.get(place) ?? new Map<string, Promise<Whole>>();
  whole.set(place, known);
  const key = `${command.name} ${place.turn(index)}`;
  const begun = known.get(key) ?? runWhole(place, command, index);
  known.set(key, begun);
  return begun;
}

async function runWhole(place: Workplace, command: Command, index: number): Promise<Whole> {
  const job = await finished(place, index);
  const ended = await run(command, job);
  if (ended.code !== 0) throw new Error(`unbroken, ${command.name} failed: ${lastLines(ended.output)}`);
  return { end: command.end(job), milliseconds: ended.at - ended.began };
}

/** Runs the command once more, to its end, and compares it with the unbroken one. */
async function finish(
  place: Workplace,
  { command, job, index }: { command: Command; job: Job; index: number },
  lostSeconds: number,
): Promise<Outcome> {
  const ended = await run(command, job);
  if (ended.code !== 0)
    return {
      survived: false,
      lostSeconds,
      problem: `${ended.signal ?? ended.code}: ${lastLines(ended.output)}`,
    };
  const { end } = await unbroken(place, command, index);
  const found = command.end(job);
  const differing = differingFiles(end, found);
  const problem = differing.length > 0 ? `other than unbroken: ${differing.join(", ")}` : undefined;
  const of = `${job.name}: ${command.name}`;
  const digest = { of, unbroken: sha256OfAll(end), found: sha256OfAll(found) };
  const outcome = { survived: true, bitIdentical: differing.length === 0, digest, lostSeconds, problem };
  place.clear(job, outcome);
  return outcome;
}

const lost = ({ at, began }: Ended, { run }: Job) => lostUntil(at, run, began);

/** Kills a command at a random moment of its unbroken length; every other try is killed once more when it goes on. */
async function kill(
  place: Workplace,
  command: Command,
  index: number,
  random: () => number,
): Promise<Outcome> {
  const { milliseconds } = await unbroken(place, command, index);
  const job = await finished(place, index);
  let most = 0;
  for (let blow = 0; blow <= Math.floor(index / 2) % 2; blow++) {
    const after = random() * milliseconds;
    let timer: NodeJS.Timeout | undefined;
    const ended = await run(command, job, {
      onOutput: (_, child) => {
        timer ??= setTimeout(() => child.kill("SIGKILL"), after);
      },
    });
    clearTimeout(timer);
    if (ended.signal !== null) most = Math.max(most, lost(ended, job));
  }
  return finish(place, { command, job, index }, most);
}

/** Runs a command on a disk that is full after some writes. */
async function fill(
  place: Workplace,
  command: Command,
  index: number,
  random: () => number,
): Promise<Outcome> {
  await unbroken(place, command, index);
  for (let after = Math.floor(random() * 24); ; after = Math.floor(after / 2)) {
    const job = await finished(place, index);
    const mark = join(job.folder, "struck");
    const folder = join(job.folder, command.writes);
    const env = failing(preloadIn(place.root), { folder, calls: "w", after, error: "ENOSPC", mark });
    const ended = await run(command, job, { env });
    if (!existsSync(mark) && ended.code === 0 && after > 0) {
      // It made fewer writes than that: nothing was tried.
      rmSync(job.folder, { recursive: true });
      continue;
    }
    if (ended.code === 0) return { survived: false, lostSeconds: 0, problem: "no write failed" };
    if (!isSentence(ended) || !/full.*free/.test(ended.output) || !ended.output.includes(command.writes))
      return { survived: false, lostSeconds: 0, problem: `after ${after}: ${lastLines(ended.output)}` };
    return finish(place, { command, job, index }, lost(ended, job));
  }
}

/** Damages what a transfer had found when it was killed: it is not believed. */
async function damage(place: Workplace, index: number, random: () => number): Promise<Outcome> {
  await unbroken(place, transfer, index);
  for (let tries = 0; tries < 10; tries++) {
    const job = await finished(place, index);
    const begun = join(job.run, "transfer", "small.unfinished");
    let watch: NodeJS.Timeout | undefined;
    const ended = await run(transfer, job, {
      onOutput: (_, child) => {
        watch ??= setInterval(() => existsSync(begun) && child.kill("SIGKILL"), 2);
      },
    });
    clearInterval(watch);
    if (!existsSync(begun)) continue;
    const how = Object.values(damages)[index % 2]!;
    writeFileSync(begun, how(readFileSync(begun), random));
    return finish(place, { command: transfer, job, index }, (ended.at - ended.began) / 1000);
  }
  return {
    survived: false,
    lostSeconds: 0,
    problem: "the transfer could not be killed while it had found something",
  };
}

/** Which ending the features of a try have; all jobs get all endings. */
const featuresOf = (index: number) => features(endings[Math.floor(index / 2) % endings.length]!);

export const afterwards: readonly Fault[] = [
  {
    name: "SIGKILL of a transfer",
    tries: { full: 40, quick: 1 },
    strike: (place, index, random) => kill(place, transfer, index, random),
  },
  {
    name: "SIGKILL while features are written",
    tries: { full: 20, quick: 0 },
    strike: (place, index, random) => kill(place, featuresOf(index), index, random),
  },
  {
    name: "the disk is full for a transfer",
    tries: { full: 10, quick: 0 },
    missing: missingCompiler,
    strike: (place, index, random) => fill(place, transfer, index, random),
  },
  {
    name: "the disk is full for features",
    tries: { full: 8, quick: 0 },
    missing: missingCompiler,
    strike: (place, index, random) => fill(place, featuresOf(index), index, random),
  },
  {
    name: "what a transfer had found is damaged",
    tries: { full: 12, quick: 1 },
    strike: damage,
  },
];
