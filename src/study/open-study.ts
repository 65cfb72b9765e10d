/** Puts a study's results together from the small files of its folder, without training and without images. */
import { describeMethods } from "../generations/index.js";
import { filesOf, type Imports, libraryOf } from "../runs/index.js";
import { calibrated } from "./calibration.js";
import { EnsembleCache } from "./ensemble-cache.js";
import { ensemblesOf } from "./ensembles.js";
import { inspectStudy } from "./inspect-study.js";
import type { NetworkFile } from "./network-file.js";
import { type PlannedLine, planStudy } from "./plan.js";
import { StudyFolder } from "./study-folder.js";
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
  const notes = inspectStudy(folder, plan, networks);
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
