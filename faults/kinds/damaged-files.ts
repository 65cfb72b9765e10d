/** Files of a run that was stopped halfway, cut off or with one bit turned over, each kind that a run folder has. */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import { isSentence, type Job, lastLines, type Workplace } from "../workplace.js";

type Damage = (bytes: Buffer, random: () => number) => Buffer;

/** How files are damaged, by the words that stand before the name of a file, or after it. */
export const damages: Record<string, Damage> = {
  "cut off": (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  "a bit turned over in": (bytes, random) => {
    const turned = Buffer.from(bytes);
    const at = Math.floor(random() * bytes.length);
    turned[at]! ^= 1 << Math.floor(random() * 8);
    return turned;
  },
};

/** The kinds of files, with where one of them lies in a run that was stopped in its second generation. */
const kinds: Record<string, (run: string) => string> = {
  "recipe.yaml": () => "recipe.yaml",
  "environment.json": () => "environment.json",
  "metrics.jsonl": () => "metrics.jsonl",
  "summary.json": () => "summary.json",
  weights: () => "generation-0/weights.safetensors",
  logits: () => "generation-0/test-logits.safetensors",
  checkpoint: (run) => join("generation-1/checkpoint", newest(join(run, "generation-1/checkpoint"))),
};

const newest = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".safetensors"))
    .sort()
    .at(-1)!;

/** Files whose content decides nothing by which networks, metrics and summary come about, so that the job may go on if it says so. */
const aside = ["metrics.jsonl"];
/** The file that a person may edit: a valid edit cannot be told from damage, and is told. */
const edited = "recipe.yaml";

async function strike(
  place: Workplace,
  index: number,
  kind: string,
  damage: (bytes: Buffer) => Buffer,
): Promise<Outcome> {
  const job = await place.halfway(place.turn(index));
  const file = kinds[kind]!(job.run);
  const path = join(job.run, file);
  const sound = `${job.folder}/sound`;
  copyFileSync(path, sound);
  // Where a checkpoint is damaged, the one before it is taken: what was done between the two is done again.
  const lost = kind === "checkpoint" ? secondsBetween(path, dirname(path)) : 0;
  writeFileSync(path, damage(readFileSync(path)));
  const ended = await place.train(job);
  const names = ended.output.includes(basename(file));
  let outcome: Outcome;
  if (ended.code === 0) outcome = { ...(await wentOn(place, job, { kind, names })), lostSeconds: lost };
  else if (isSentence(ended) && names) {
    copyFileSync(sound, path);
    outcome = await place.finish(job, 0);
  } else outcome = { survived: false, lostSeconds: 0, problem: lastLines(ended.output) };
  place.clear(job, outcome);
  return outcome;
}

/** The seconds from the oldest file of a folder to the given one. */
function secondsBetween(path: string, folder: string): number {
  const times = readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs);
  return (statSync(path).mtimeMs - Math.min(...times)) / 1000;
}

/** All checkpoints of the generation under way: it is trained from its beginning, once the person has removed them as the message says. */
async function strikeCheckpoints(
  place: Workplace,
  index: number,
  damage: (bytes: Buffer) => Buffer,
): Promise<Outcome> {
  const job = await place.halfway(place.turn(index));
  const folder = join(job.run, "generation-1", "checkpoint");
  const lost = secondsBetween(join(job.run, "metrics.jsonl"), join(job.run, "generation-0"));
  for (const name of readdirSync(folder))
    writeFileSync(join(folder, name), damage(readFileSync(join(folder, name))));
  const ended = await place.train(job);
  if (!isSentence(ended) || !ended.output.includes(`remove ${folder}`))
    return { survived: false, lostSeconds: lost, problem: lastLines(ended.output) };
  rmSync(folder, { recursive: true });
  const outcome = await place.finish(job, lost);
  place.clear(job, outcome);
  return outcome;
}

/** Judges a job that went on with the damage. */
async function wentOn(
  place: Workplace,
  job: Job,
  { kind, names }: { kind: string; names: boolean },
): Promise<Outcome> {
  const { differing, digest } = await place.compare(job);
  if (differing.length === 0) return { survived: true, bitIdentical: true, digest, lostSeconds: 0 };
  if (names && kind === edited) return { survived: true, lostSeconds: 0 };
  if (names && differing.every((file) => aside.includes(file))) return { survived: true, lostSeconds: 0 };
  return {
    survived: false,
    bitIdentical: false,
    lostSeconds: 0,
    problem: `other than unbroken${names ? "" : ", without a word"}: ${differing.join(", ")}`,
  };
}

/** The report, which the end of a run writes anew. */
async function strikeReport(
  place: Workplace,
  index: number,
  damage: (bytes: Buffer) => Buffer,
): Promise<Outcome> {
  const job = place.job(place.turn(index));
  const source = join(place.root, `unbroken-${job.name}`, "runs");
  await place.unbroken(job.name);
  place.copyRun(source, job);
  const path = join(job.run, "report.html");
  writeFileSync(path, damage(readFileSync(path)));
  const before = readFileSync(path);
  const outcome = await place.finish(job, 0);
  if (outcome.problem === undefined && existsSync(path) && readFileSync(path).equals(before))
    return { ...outcome, survived: false, problem: "the report was not written anew" };
  place.clear(job, outcome);
  return outcome;
}

/** Every checkpoint with a bit turned over. */
export const damagedCheckpoints: Fault = {
  name: "a bit turned over in both checkpoints",
  tries: { full: 6, quick: 1 },
  strike: (place, index, random) =>
    strikeCheckpoints(place, index, (bytes) => damages["a bit turned over in"]!(bytes, random)),
};

const tries = (quick: number) => ({ full: 12, quick });

export const damagedFiles: readonly Fault[] = Object.entries(damages).flatMap(([how, damage], i) => [
  ...Object.keys(kinds).map((kind, k) => ({
    name: i === 0 ? `${kind} ${how}` : `${how} ${kind}`,
    // In a hurry each kind is struck in one way.
    tries: tries((i + k) % 2),
    strike: (place: Workplace, index: number, random: () => number) =>
      strike(place, index, kind, (bytes) => damage(bytes, random)),
  })),
  {
    name: i === 0 ? `report.html ${how}` : `${how} report.html`,
    tries: { full: 2, quick: i },
    strike: (place: Workplace, index: number, random: () => number) =>
      strikeReport(place, index, (bytes) => damage(bytes, random)),
  },
]);
