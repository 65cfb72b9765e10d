/** Makes a study of runs that were trained one by one: runs of the same recipe, but for the seed, are one arm. */
import { basename, resolve } from "node:path";
import { describeMethods } from "../generations/index.js";
import { builtIn, namesBeyond, type Recipe } from "../recipe/index.js";
import {
  decidingRecipe,
  differingKeys,
  type EpochRecord,
  RunFolder,
  type Sittings,
  type Summary,
  sha256Of,
  type TestResult,
} from "../runs/index.js";
import { readTransfer, summaryOf, type TransferResult, transferNames } from "../transfer/index.js";
import type { ArmResult, ComparedPart, LineResult, NetworkResult, StudyResult } from "./types.js";
import { countOf } from "./words.js";

/** A run, as far as comparing needs it. */
interface Run {
  directory: string;
  recipe: Recipe;
  summary: Summary | undefined;
  records: EpochRecord[];
  /** What the run's features came to on other images, where that is compared. */
  transfer: TransferResult | undefined;
  kernels: string;
  date: string;
  /** Identifies the recipe without its seed, and the imported files that it was made with. */
  arm: string;
}

/**
 * Reads runs and puts them together as a study: runs whose recipes differ in nothing but the seed (and what decides no
 * numbers, such as the device) are one arm, named by what the names of their folders share. The first run's arm is
 * the reference.
 *
 * @param directories the folders of two or more runs
 * @param options.transfer the name of the transfer (`transfer/NAME.json`) that the part "transfer" compares; its numbers are
 *   means over the draws of the largest number of training images
 * @throws Error that names the run when it cannot be read, is given twice, repeats another's recipe and seed, or
 *   was tested (or, where the held-out images are compared, validated) on other images, and when all are one arm
 */
export async function studyOfRuns(
  directories: readonly string[],
  { part = "test", transfer }: { part?: ComparedPart; transfer?: string } = {},
): Promise<StudyResult> {
  const paths = directories.map((directory) => resolve(directory));
  const twice = paths.findIndex((path, i) => paths.indexOf(path) !== i);
  if (twice >= 0) throw new Error(`${directories[twice]}: is given twice: leave one of them out`);
  const runs: Run[] = [];
  for (const directory of directories) runs.push(await readRun(directory, part, transfer));
  for (const run of runs) {
    if (part === "transfer") checkSameTransfer(runs[0]!, run);
    else checkSameImages(runs[0]!, run, part);
  }
  const groups = grouped(runs);
  for (const group of groups.values()) checkSeeds(group);
  if (groups.size < 2)
    throw new Error(
      `the ${countOf(runs.length, "run")} are one recipe with different seeds: give runs of another recipe too, to compare with`,
    );
  const names = namesOf([...groups.values()]);
  const arms = [...groups.values()].map((group, i) => armOf(names[i]!, group, part));
  return {
    name: "runs",
    title: `${countOf(runs.length, "run")}${transfer === undefined ? "" : `, transferred to ${transfer}`}`,
    description: "",
    reference: names[0]!,
    seeds: [...new Set(runs.map(({ recipe }) => recipe.seed))].sort((a, b) => a - b),
    part: part === "heldOut" ? part : "test",
    arms,
    trained: {
      done: runs.reduce((sum, { summary }) => sum + (summary?.generations.length ?? 0), 0),
      of: arms.reduce((sum, { lines, generations }) => sum + lines.length * generations, 0),
    },
    notes: [...differences([...groups.values()], names), ...runs.flatMap(unfinished)],
  };
}

async function readRun(directory: string, part: ComparedPart, transfer: string | undefined): Promise<Run> {
  const folder = await RunFolder.look(directory);
  const { recipe } = folder;
  const environment = await folder.readEnvironment();
  const { lyceum = "", libtorch = "", threads, machine, date = "", imports = [] } = environment ?? {};
  if (part === "heldOut" && recipe.data.heldOut === 0)
    throw new Error(
      `${directory}: no images were held out of its training, so that there is nothing to compare on them`,
    );
  const files = imports.map(({ sha256 }) => sha256);
  return {
    directory,
    recipe,
    summary: await folder.readSummary(),
    transfer: part === "transfer" ? await requireTransfer(folder, directory, transfer ?? "") : undefined,
    records: part === "heldOut" ? await folder.readMetrics() : [],
    kernels: environment
      ? `${machine?.cpu}, Lyceum ${lyceum}, libtorch ${libtorch}, ${countOf(threads ?? 1, "thread")}`
      : "unknown",
    date,
    arm: sha256Of([{ ...decidingRecipe(recipe), seed: 0 }, files, ...epochsByGeneration(environment)]),
  };
}

/**
 * Gives the epochs of each generation of a run that went on with another number of them, since it is then not the recipe that another
 * run with the same file is; nothing where the number never changed.
 */
function epochsByGeneration(environment: Sittings | undefined): [from: number, epochs: number][] {
  const changes = (environment?.changes ?? []).filter(({ keys }) => keys.includes("epochs"));
  if (changes.every(({ firstGeneration }) => firstGeneration === 0)) return [];
  return changes.map(({ firstGeneration, epochs }) => [firstGeneration, epochs]);
}

async function requireTransfer(
  { directory: path }: RunFolder,
  directory: string,
  name: string,
): Promise<TransferResult> {
  const found = await readTransfer(path, name);
  if (found) return found;
  const names = await transferNames(path);
  const has = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
  throw new Error(
    `${directory}: has no transfer ${JSON.stringify(name)}: ${has}; npx lyceum transfer ${directory} --data IMAGES makes one`,
  );
}

/** What decides the images of a transfer and how their classifiers are fitted. */
function setUpOf({
  data,
  images,
  classes,
  shots,
  splits,
  folds,
  seed,
  scaling,
  layer,
  spatial,
}: TransferResult) {
  const { root: _, ...rest } = data;
  const most = shots.at(-1) ?? null;
  return { data: rest, images, classes, shots: most, splits, folds, seed, scaling, layer, spatial };
}

/** What of a recipe's data decides which images test a network, or which are held out, for the same seed. */
function comparedImages({ data }: Recipe, part: ComparedPart): Record<string, unknown> {
  const { root: _, heldOut, limit, ...rest } = data;
  return part === "test"
    ? { ...rest, "limit.test": limit?.test }
    : { ...rest, heldOut, "limit.train": limit?.train };
}

function checkSameTransfer(first: Run, other: Run): void {
  const [a, b]: Record<string, unknown>[] = [setUpOf(first.transfer!), setUpOf(other.transfer!)];
  const key = Object.keys(a!).find((name) => sha256Of([a![name]]) !== sha256Of([b![name]]));
  if (key === undefined) return;
  throw new Error(
    `${other.directory}: its transfer ${other.transfer!.name} was made otherwise than that of ${first.directory} (${key} is ` +
      `${JSON.stringify(b![key])} there, ${JSON.stringify(a![key])} here): make both in the same way`,
  );
}

function checkSameImages(first: Run, other: Run, part: ComparedPart): void {
  const [a, b] = [comparedImages(first.recipe, part), comparedImages(other.recipe, part)];
  const key = [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
    (name) => sha256Of([a[name]]) !== sha256Of([b[name]]),
  );
  const text = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));
  if (key !== undefined)
    throw new Error(
      `${other.directory}: was ${part === "test" ? "tested" : "validated"} on other images than ${first.directory} (data.${key} is ${text(b[key])} there, ` +
        `${text(a[key])} here): only runs on the same images can be compared`,
    );
  const [k, otherK] = [first.summary?.k, other.summary?.k];
  if (k !== undefined && otherK !== undefined && k !== otherK)
    throw new Error(
      `${other.directory}: was evaluated with k = ${otherK}, ${first.directory} with ${k}, so that their images differ: only ` +
        "runs on the same images can be compared",
    );
}

function checkSeeds(group: readonly Run[]): void {
  for (const [i, run] of group.entries()) {
    const same = group.slice(0, i).find(({ recipe }) => recipe.seed === run.recipe.seed);
    if (same)
      throw new Error(
        `${run.directory}: is the same recipe as ${same.directory} with the same seed, ${run.recipe.seed}: a seed counts once, so ` +
          "give one of the two",
      );
  }
}

function grouped(runs: readonly Run[]): Map<string, Run[]> {
  const groups = new Map<string, Run[]>();
  for (const run of runs) groups.set(run.arm, [...(groups.get(run.arm) ?? []), run]);
  return groups;
}

function armOf(name: string, runs: readonly Run[], part: ComparedPart): ArmResult {
  const generations = Math.max(...runs.map(({ recipe }) => recipe.generations));
  const { recipe } = runs.find((run) => run.recipe.generations === generations)!;
  return {
    name,
    methods: methodsOf(recipe),
    generations,
    epochs: recipe.epochs,
    lines: runs.map((run) => lineOf(run, generations, part)),
  };
}

/** A run may have been made with definitions of its own, of which only the names are known. */
function methodsOf(recipe: Recipe): ArmResult["methods"] {
  if (namesBeyond(recipe, builtIn).length === 0) return describeMethods({ recipe, library: builtIn });
  const students: ArmResult["methods"] = recipe.generations > 1 ? [["students", recipe.student.method]] : [];
  return [["patriarch", recipe.patriarch.method], ...students];
}

function lineOf(
  { directory, recipe, summary, records, transfer, kernels, date }: Run,
  generations: number,
  part: ComparedPart,
): LineResult {
  const networks = Array.from({ length: generations }, (_, generation): NetworkResult | undefined => {
    const result = summary?.generations[generation];
    if (!result) return undefined;
    const found = { test: result.test, heldOut: validationOf(records, generation), transfer: undefined }[
      part
    ];
    const judged = transfer?.generations.find((each) => each.generation === generation);
    return {
      // Runs share no networks, whatever their recipes share.
      fingerprint: `${resolve(directory)}/${generation}`,
      generation,
      ...(found && { [part]: found }),
      ...(judged && { transfer: summaryOf(transfer!.name, judged.results) }),
      trainSeconds: result.trainSeconds,
      kernels,
      date,
    };
  });
  const ensembles = part === "test" ? (summary?.ensembles ?? {}) : {};
  return { seed: recipe.seed, networks, ensembles };
}

/** The result on the held-out images after a generation's last epoch, as the log has it. */
function validationOf(records: readonly EpochRecord[], generation: number): TestResult | undefined {
  const last = records.findLast((record) => record.generation === generation)?.validation;
  return last && { top1: last.top1, nll: last.loss };
}

/** Says in which keys the recipe of each arm differs from that of the reference. */
function differences(groups: readonly (readonly Run[])[], names: readonly string[]): string[] {
  const [first] = groups[0]!;
  return groups.slice(1).map(([run], i) => {
    const keys = differingKeys(run!.recipe, first!.recipe).filter((key) => key !== "seed");
    const differ =
      keys.length > 0 ? keys.join(", ") : "the files that were imported, or the epochs of single generations";
    return `${names[i + 1]} differs from ${names[0]} in ${differ}.`;
  });
}

function unfinished({ directory, recipe, summary }: Run): string[] {
  const finished = summary?.generations.length ?? 0;
  if (finished >= recipe.generations) return [];
  return [
    `${directory}: ${finished} of ${countOf(recipe.generations, "generation")} ${finished === 1 ? "is" : "are"} finished; ` +
      `npx lyceum train --resume ${directory} goes on with it.`,
  ];
}

/**
 * Names arms by what the names of their runs share, "tolerant" for tolerant-s0 and tolerant-s1, or by their first run
 * where they share nothing. Where two arms would have one name, all have the names, or else the paths, of their first
 * runs.
 */
function namesOf(groups: readonly (readonly Run[])[]): string[] {
  const first = groups.map(([run]) => basename(resolve(run!.directory)));
  const candidates = [
    groups.map((runs, i) => sharedName(runs) || first[i]!),
    first,
    groups.map(([run]) => run!.directory),
  ];
  return candidates.find((names) => new Set(names).size === names.length)!;
}

function sharedName(runs: readonly Run[]): string {
  const names = runs.map(({ directory }) => basename(resolve(directory)));
  const without = runs.map(({ recipe }, i) =>
    names[i]!.replace(new RegExp(`[-_. ]*(?:[-_. ](?:seed|s))?[-_. ]*${recipe.seed}$`, "i"), ""),
  );
  if (new Set(without).size === 1) return without[0]!;
  let length = 0;
  while (names.every((name) => name[length] !== undefined && name[length] === names[0]![length])) length++;
  return names[0]!
    .slice(0, length)
    .replace(/[-_. ]+$/, "")
    .replace(/[-_. ](?:seed|s)$/i, "");
}
