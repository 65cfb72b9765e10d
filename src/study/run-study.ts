/** Runs a study: trains in this process what is not finished. */
import { Interrupted } from "../generations/index.js";
import { nearest } from "../recipe/index.js";
import { filesOf, type Imports, libraryOf } from "../runs/index.js";
import { calibrate } from "./calibrate.js";
import { calibrated, readCalibration } from "./calibration.js";
import { toTrain } from "./due.js";
import { inspectStudy } from "./inspect-study.js";
import { openStudy } from "./open-study.js";
import { type Plan, type PlannedNetwork, planStudy, sameArms, shardOf } from "./plan.js";
import type { Shard } from "./shards.js";
import { studyChanges } from "./study-changes.js";
import { checkStudy, loadStudy, type Study, StudyError } from "./study-file.js";
import { StudyFolder } from "./study-folder.js";
import type { StudyResult } from "./types.js";
import { type WorkEvent, workAt } from "./work.js";
import { workAtParts } from "./work-at-parts.js";

/** How a study is begun, or gone on with. */
export interface BeginStudyOptions {
  /** What its recipes can name beside Lyceum's own definitions. */
  imports?: Imports;
  /** Accepts that the study's file has changed since the study began. Default: false. */
  amend?: boolean;
  /** Whether only to look: nothing is written then. Default: false. */
  look?: boolean;
  /** The part of the networks to train, of several parts, counted from 1. Default: all of them. */
  shard?: Shard | undefined;
  /** The names of the arms to train. Default: all of them. */
  arms?: readonly string[] | undefined;
}

/** How this process works at a study. */
export interface WorkAtStudyOptions {
  /** Stops the work when aborted, after what is in training was saved. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: WorkEvent) => void) | undefined;
}

export interface RunStudyOptions extends Omit<BeginStudyOptions, "look">, WorkAtStudyOptions {
  /** The folder of the study's results. */
  directory: string;
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
  /** Tells whether another shard, of the same arms, has networks that are not finished. */
  isUnfinished: (shard: Shard) => boolean;
  /** What the person must know, as sentences. */
  notes: string[];
  /**
   * Whether arms that are to be trained wait for a calibration that was not made yet: until then they are as they are
   * written.
   */
  uncalibrated: boolean;
}

/**
 * Begins a study, or goes on with one: checks its file against the one that it began with, and finds out what is
 * finished.
 *
 * @param source the path of the study's file, or what would stand in it
 * @param directory the folder of its results
 * @throws StudyError when the study cannot be used, names no such arm, or has changed and `amend` is not given
 */
export async function beginStudy(
  source: string | object,
  directory: string,
  { imports = [], amend = false, look = false, shard, arms }: BeginStudyOptions = {},
): Promise<BegunStudy> {
  const library = libraryOf(imports);
  const path = typeof source === "string" ? source : "the study";
  const written =
    typeof source === "string" ? await loadStudy(source, library) : checkStudy(source, { path, library });
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
  const notes = inspectStudy(folder, plan, networks);
  if (!look) await folder.begin(study, changes);
  const wanted = arms && new Set(checkedArms(arms, study, path));
  const partOf = (shard: Shard | undefined) =>
    (shard ? shardOf(plan, shard) : plan.networks).filter(
      (network) => !wanted || network.arms.some((arm) => wanted.has(arm)),
    );
  const mine = partOf(shard);
  const leftOf = (part: readonly PlannedNetwork[]) => toTrain(folder, part, plan.networks);
  const waiting = Object.keys(study.file.calibrate?.arms ?? {}).some((arm) => wanted?.has(arm) ?? true);
  const uncalibrated = waiting && !(await readCalibration(directory));
  const isUnfinished = (other: Shard) => leftOf(partOf(other)).length > 0;
  return { study, folder, plan, mine, left: leftOf(mine), isUnfinished, notes, uncalibrated };
}

/** @throws StudyError that suggests the nearest name where there is no such arm */
function checkedArms(asked: readonly string[], { arms }: Study, path: string): readonly string[] {
  const names = arms.map(({ name }) => name);
  const wrong = asked.find((arm) => !names.includes(arm));
  if (wrong === undefined) return asked;
  const meant = nearest(wrong, names);
  throw new StudyError(
    `${path}: there is no arm "${wrong}"; ${meant ? `did you mean "${meant}"?` : `the arms are ${names.join(", ")}`}`,
  );
}

/**
 * Runs a study to its end in this process: calibrates where it asks for that, trains what is not finished, and puts
 * the results together. Called again after a stop, it goes on. Definitions of one's own that the study names are given
 * as `imports`.
 *
 * @param source the path of the study's file, or what would stand in it
 * @returns the results of the whole study, or of what was asked for by `arms` and `shard`
 * @throws StudyError when the study cannot be used; Interrupted when `signal` was aborted, after all was saved; Error
 *   that names the first network whose training failed, once all others are trained
 */
export async function runStudy(
  source: string | object,
  { directory, ...options }: RunStudyOptions,
): Promise<StudyResult> {
  const { imports = [] } = options;
  let begun = await beginStudy(source, directory, options);
  if (begun.uncalibrated) {
    await calibrate(begun.study, {
      directory,
      imports,
      train: async (search, folder) => {
        // Its file grows from round to round, which is no change to be noted.
        await new StudyFolder(folder).begin(checkStudy(search, { library: begun.study.library }));
        const { signal, onEvent } = options;
        await finish(await beginStudy(search, folder, { imports }), { signal, onEvent });
      },
    });
    begun = await beginStudy(source, directory, options);
  }
  await finish(begun, options, (shard) => beginStudy(source, directory, { ...options, shard }));
  return await openStudy(directory, { imports });
}

/**
 * Trains what is left, and where that is a shard, what other shards have left whose processes ended.
 *
 * @param begin begins another shard
 * @throws Interrupted when the signal was aborted, Error that names the first network whose training failed
 */
async function finish(
  begun: BegunStudy,
  { shard, ...options }: WorkAtStudyOptions & { shard?: Shard | undefined },
  begin?: (shard: Shard) => Promise<BegunStudy>,
): Promise<void> {
  const { folder, isUnfinished, plan } = begun;
  const { signal, onEvent } = options;
  const work = (part: BegunStudy) => workAtStudy(part, { signal, onEvent });
  const failures =
    shard && begin
      ? await workAtParts({
          ...{ folder, shard, begin, work, isUnfinished, signal },
          onWait: (message) => onEvent?.({ type: "waiting", message }),
        })
      : await work(begun);
  if (signal?.aborted) throw new Interrupted(folder.directory);
  const [first] = failures;
  if (!first) return;
  const { arms, seed, generation } = plan.networks.find(({ fingerprint }) => fingerprint === first[0])!;
  throw new Error(
    `${failures.size} networks failed, the first (${arms[0]}, seed ${seed}, generation ${generation}) with: ${first[1]}`,
  );
}

/**
 * Trains in this process what is not finished of a study.
 *
 * @returns the failures, by fingerprint
 */
export async function workAtStudy(
  begun: BegunStudy,
  options: WorkAtStudyOptions = {},
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
