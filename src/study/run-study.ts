/** Runs a study: trains in this process what is not finished. */
import { filesOf, type Imports, libraryOf } from "../runs/index.js";
import { calibrated, readCalibration } from "./calibration.js";
import { inspect } from "./open-study.js";
import { type Plan, type PlannedNetwork, planStudy, sameArms, shardOf } from "./plan.js";
import { loadStudy, type Study, StudyError } from "./study-file.js";
import { StudyFolder, studyChanges } from "./study-folder.js";
import { toTrain, type WorkEvent, workAt } from "./work.js";

export interface RunStudyOptions {
  /** What its recipes can name beside Lyceum's own definitions. */
  imports?: Imports;
  /** Accepts that the study's file has changed since the study began. Default: false. */
  amend?: boolean;
  /** Whether only to look: nothing is written then. Default: false. */
  look?: boolean;
  /** The part of the networks to train, of several parts, counted from 1. Default: all of them. */
  shard?: { shard: number; of: number } | undefined;
  signal?: AbortSignal | undefined;
  onEvent?: ((event: WorkEvent) => void) | undefined;
}

/** A study that is ready to be worked at. */
export interface BegunStudy {
  study: Study;
  folder: StudyFolder;
  plan: Plan;
  /** The networks of this shard. */
  mine: PlannedNetwork[];
  /** Those of them that are not finished, or are to teach one that is not. */
  left: PlannedNetwork[];
  /** What the person must know, as sentences. */
  notes: string[];
  /** Whether the study asks for a calibration that was not made yet: until then its arms are as they are written. */
  uncalibrated: boolean;
}

/**
 * Begins a study, or goes on with one: checks its file against the one that it began with, and finds out what is
 * finished.
 *
 * @param path the study's file
 * @param directory the folder of its results
 * @throws StudyError when the file cannot be used, or has changed and `amend` is not given
 */
export async function beginStudy(
  path: string,
  directory: string,
  { imports = [], amend = false, look = false, shard }: RunStudyOptions = {},
): Promise<BegunStudy> {
  const library = libraryOf(imports);
  const written = await loadStudy(path, library);
  const study = await calibrated(written, directory);
  const folder = new StudyFolder(directory);
  const hashes = filesOf(imports).map(({ sha256 }) => sha256);
  const plan = planStudy(study, hashes);
  const same = sameArms(plan);
  if (same)
    throw new StudyError(
      `${path}: the arms ${same[0]} and ${same[1]} are the same recipe: change one of them, or leave it out`,
    );
  const networks = await folder.readNetworks();
  let changes: string[] = [];
  if (folder.isBegun) {
    const before = await folder.readStudy(library);
    changes = studyChanges(before, study);
    if (changes.length > 0) {
      const known = plan.networks.filter(({ fingerprint }) => networks.has(fingerprint)).length;
      const kept = `${known} of ${networks.size} finished networks still count, and none is removed`;
      if (before.file.kind !== study.file.kind)
        throw new StudyError(
          `${path}: is a ${study.file.kind} now, and began as a ${before.file.kind}: give it another name`,
        );
      if (!amend)
        throw new StudyError(
          `${path}: has changed since the study began: ${changes.join(", ")}. ${kept}: go on by --amend, or put the file ` +
            `back (${folder.studyFile} is as it was)`,
        );
    }
  }
  const { notes } = inspect(folder, plan, networks);
  if (!look) await folder.begin(study, changes);
  const mine = shard ? shardOf(plan, shard) : plan.networks;
  const uncalibrated = study.file.calibrate !== undefined && !(await readCalibration(directory));
  return { study, folder, plan, mine, left: toTrain(folder, mine, plan.networks), notes, uncalibrated };
}

/**
 * Trains in this process what is not finished of a study.
 *
 * @returns the failures, by fingerprint
 */
export async function workAtStudy(
  begun: BegunStudy,
  options: RunStudyOptions = {},
): Promise<Map<string, string>> {
  const { study, folder, plan, mine } = begun;
  const { signal, onEvent } = options;
  return workAt({
    folder,
    library: study.library,
    all: plan.networks,
    mine,
    test: study.file.kind === "study",
    signal,
    onEvent,
  });
}
