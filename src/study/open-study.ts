/** Puts a study's results together from the small files of its folder, without training and without images. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describeMethods } from "../generations/index.js";
import { filesOf, type Imports, libraryOf } from "../runs/index.js";
import { calibrated } from "./calibration.js";
import { EnsembleCache } from "./ensemble-cache.js";
import { ensemblesOf } from "./ensembles.js";
import { type NetworkFile, whyForeign } from "./network-file.js";
import { type Plan, type PlannedLine, planStudy } from "./plan.js";
import { StudyFolder, shortOf } from "./study-folder.js";
import type { LineResult, NetworkResult, StudyResult } from "./types.js";

export interface OpenStudyOptions {
  /** What its recipes can name beside Lyceum's own definitions. */
  imports?: Imports;
  /** Whether the ensembles are computed. Default: true. */
  ensembles?: boolean;
  /** Called before each line whose ensembles are computed, which takes about half a second where they are large. */
  onLine?: ((done: number, of: number) => void) | undefined;
}

/**
 * Reads the results of a study.
 *
 * @param directory the folder of its results
 * @throws StudyError when no study has begun there, Error that names the file and the remedy when one is damaged
 */
export async function openStudy(directory: string, options: OpenStudyOptions = {}): Promise<StudyResult> {
  const { imports = [], ensembles = true, onLine } = options;
  const folder = new StudyFolder(directory);
  const study = await calibrated(await folder.readStudy(libraryOf(imports)), folder.directory);
  const plan = planStudy(
    study,
    filesOf(imports).map(({ sha256 }) => sha256),
  );
  const networks = await folder.readNetworks();
  const { notes } = inspect(folder, plan, networks);
  for (const { date, changes } of await folder.readAmendments())
    notes.push(`The study was changed after it began (${date.slice(0, 10)}: ${changes.join(", ")}).`);
  const cache = ensembles ? await EnsembleCache.open(folder.work) : undefined;
  const lines = new Map<string, PlannedLine[]>(study.arms.map(({ name }) => [name, []]));
  for (const line of plan.lines) lines.get(line.arm)!.push(line);
  let done = 0;
  const resultOf = (line: PlannedLine) => {
    if (ensembles) onLine?.(done++, plan.lines.length);
    return lineResult(folder, line, networks, cache);
  };
  const result: StudyResult = {
    name: folder.name,
    title: study.file.title ?? folder.name,
    description: study.file.description ?? "",
    reference: study.file.reference,
    ...(study.file.claim && { claim: study.file.claim }),
    seeds: study.file.seeds,
    part: study.file.kind === "search" ? "heldOut" : "test",
    arms: study.arms.map(({ name, recipe, at }) => ({
      name,
      methods: describeMethods({ recipe, library: study.library }),
      ...(at && { at }),
      generations: recipe.generations,
      epochs: recipe.epochs,
      lines: lines.get(name)!.map(resultOf),
    })),
    trained: {
      done: plan.networks.filter(({ fingerprint }) => networks.has(fingerprint)).length,
      of: plan.networks.length,
    },
    notes,
  };
  await cache?.save();
  return result;
}

/**
 * Looks for what does not fit together in a study's folder.
 *
 * @returns sentences for people, and the networks' files that belong to no arm
 * @throws Error when networks were trained on different images, which cannot be compared
 */
export function inspect(
  folder: StudyFolder,
  plan: Pick<Plan, "networks">,
  networks: ReadonlyMap<string, NetworkFile>,
): { notes: string[]; foreign: NetworkFile[] } {
  const planned = new Set(plan.networks.map(({ fingerprint }) => fingerprint));
  const files = [...networks.values()];
  const foreign = files.filter(({ fingerprint }) => !planned.has(fingerprint));
  const counted = files.filter(({ fingerprint }) => planned.has(fingerprint));
  const notes: string[] = [];
  const [stray] = foreign;
  if (stray) {
    const many = foreign.length === 1 ? "1 network here is" : `${foreign.length} networks here are`;
    notes.push(
      `${many} kept and not counted: ${folder.network(stray.fingerprint).file} ${whyForeign(stray)}. Remove the file, or ` +
        "put the study back as it was, and it counts again.",
    );
  }
  for (const part of ["train", "test"] as const) {
    const firstOf = new Map<string, NetworkFile>();
    const other = counted.find((file) => {
      const data = JSON.stringify(file.decides.recipe.data);
      const like = firstOf.get(data) ?? file;
      firstOf.set(data, like);
      return file.images[part] !== like.images[part];
    });
    if (other)
      throw new Error(
        `${folder.network(other.fingerprint).file}: was trained on other images than the rest (their SHA-256 differ in the ` +
          `${part} part). Remove the files of networks that were trained on the wrong ones: \`lyceum study\` trains these again`,
      );
  }
  const { scores } = folder.list();
  const bare = counted.filter(({ fingerprint }) => !scores.has(shortOf(fingerprint)));
  if (bare[0]) {
    const { file, scores: path } = folder.network(bare[0].fingerprint);
    const many = bare.length === 1 ? "1 network here has" : `${bare.length} networks here have`;
    notes.push(
      `${many} no scores, so that there is no ensemble with them: put ${path} back, or remove ${file}, and \`lyceum study\` ` +
        "trains it again.",
    );
  }
  const kernels = new Map<string, number>();
  for (const { kernels: name } of counted) kernels.set(name, (kernels.get(name) ?? 0) + 1);
  if (kernels.size > 1) {
    const list = [...kernels].sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} by ${name}`);
    notes.push(
      `The networks were trained by different kernels, whose sums round differently: ${list.join("; ")}. A network ` +
        "differs by that as by another order of its images: compare means over seeds, not single networks.",
    );
  }
  return { notes, foreign };
}

function lineResult(
  folder: StudyFolder,
  { seed, fingerprints }: PlannedLine,
  networks: ReadonlyMap<string, NetworkFile>,
  cache: EnsembleCache | undefined,
): LineResult {
  const files = fingerprints.map((fingerprint) => networks.get(fingerprint));
  return {
    seed,
    networks: files.map((file) => file && networkResult(file)),
    ensembles: cache ? ensemblesOf(folder, files, cache) : {},
  };
}

function networkResult(file: NetworkFile): NetworkResult {
  const { fingerprint, decides, test, heldOut, trainSeconds, cpuSeconds, kernels, date } = file;
  const { machine, lyceum, commit } = file;
  return {
    fingerprint,
    generation: decides.generation,
    ...(test && { test }),
    ...(heldOut && { heldOut }),
    trainSeconds,
    ...(cpuSeconds !== undefined && { cpuSeconds }),
    kernels,
    machine: `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.os}`,
    software: `Lyceum ${lyceum}${commit ? `, commit ${commit.slice(0, 12)}` : ""}`,
    date,
  };
}

/** Finds the folder of a study's results, which may be named by itself or the file in it, by the study's file, or by its name. */
export function findStudyFolder(named: string, results = "results"): string {
  if (existsSync(join(named, "study.yaml"))) return named;
  if (basename(named) === "study.yaml" && existsSync(join(dirname(named), "networks"))) return dirname(named);
  // A folder that is named by its path is never another one of the same name.
  if (/[\\/]/.test(named) && statSync(named, { throwIfNoEntry: false })?.isDirectory()) return named;
  return join(results, basename(named).replace(/\.ya?ml$/, ""));
}
