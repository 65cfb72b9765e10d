/** The work at a study: takes network after network that is ready to be trained, until none is left. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { OnProgress } from "../generations/index.js";
import { removeLeftovers } from "../leftovers.js";
import type { Library } from "../recipe/index.js";
import { acquireLock, type Lock, LockHeld, LockWatch } from "../runs/index.js";
import { toTrain, whatIsDue } from "./due.js";
import type { StudyImages } from "./images.js";
import type { PlannedNetwork } from "./plan.js";
import { type StudyFolder, shortOf } from "./study-folder.js";
import { trainPlanned } from "./train-planned.js";

/** An event of the work at a study. */
export type WorkEvent =
  | { type: "begun"; network: PlannedNetwork }
  | { type: "progress"; network: PlannedNetwork; event: Parameters<OnProgress>[0] }
  | { type: "finished"; network: PlannedNetwork }
  | { type: "failed"; network: PlannedNetwork; message: string }
  /** Another process has finished it. */
  | { type: "found"; network: PlannedNetwork }
  /** All that is left waits for what other processes are at work on; the message says for which. */
  | { type: "waiting"; message: string };

export interface WorkOptions {
  folder: StudyFolder;
  library: Library;
  /** The networks of the whole study, which say whose weights are still needed. */
  all: readonly PlannedNetwork[];
  /** The networks to train here: all of them, or those of a shard. */
  mine: readonly PlannedNetwork[];
  test: boolean;
  signal?: AbortSignal | undefined;
  onEvent?: ((event: WorkEvent) => void) | undefined;
}

/**
 * How long a worker waits before it looks again whether another has finished what it needs, in milliseconds: at first, and in the end, so
 * that a hundred that wait do not keep a disk in the network busy.
 */
const POLL_MS = { first: 1000, longest: 10_000 };

/**
 * Trains the networks of a study that are not finished, one after another. Several processes can work at one folder:
 * each takes what no other is at work on, and waits where only others' work is left.
 *
 * A network whose training fails is left out together with those that it would teach; the rest goes on.
 *
 * @returns the failures, by fingerprint
 * @throws Error that has the path, when the disk is full or cannot be written to
 */
export async function workAt(options: WorkOptions): Promise<Map<string, string>> {
  const { folder, mine, signal, onEvent } = options;
  const images: StudyImages = new Map();
  const failures = new Map<string, string>();
  const left = new Set(toTrain(folder, mine, options.all));
  const watch = new LockWatch();
  let waitedFor: string | undefined;
  let pause = POLL_MS.first;
  while (!signal?.aborted) {
    const { due } = whatIsDue(folder, options.all);
    for (const network of left) {
      if (due.has(network.fingerprint)) continue;
      left.delete(network);
      onEvent?.({ type: "found", network });
    }
    const next = await takeNext(options, { due, failures, watch });
    if (next === "none") break;
    if ("waitFor" in next) {
      if (next.waitFor !== waitedFor) {
        onEvent?.({ type: "waiting", message: next.waitFor });
        pause = POLL_MS.first;
      }
      waitedFor = next.waitFor;
      await wait(pause, undefined, signal ? { signal } : {}).catch(() => {});
      pause = Math.min(1.5 * pause, POLL_MS.longest);
      continue;
    }
    waitedFor = undefined;
    const { network, lock } = next;
    try {
      onEvent?.({ type: "begun", network });
      const finished = await trainPlanned(network, {
        ...options,
        images,
        teaches: whatIsDue(folder, options.all).needed.has(network.fingerprint),
        onProgress: (event) => onEvent?.({ type: "progress", network, event }),
      });
      if (!finished) break;
      left.delete(network);
      await removeIdleWeights(options);
      onEvent?.({ type: "finished", network });
    } catch (error) {
      if (signal?.aborted && (error === signal.reason || (error as Error).name === "AbortError")) break;
      if (isOfDisk(error)) throw error.path ? error : Object.assign(error, { path: folder.directory });
      const message = (error as Error).message;
      failures.set(network.fingerprint, message);
      await writeFile(markOf(folder, network.fingerprint), `${message}\n`);
      onEvent?.({ type: "failed", network, message });
    } finally {
      await lock.release();
    }
  }
  for (const { fingerprint } of mine) {
    const mark = markOf(folder, fingerprint);
    if (!failures.has(fingerprint) && existsSync(mark))
      failures.set(
        fingerprint,
        (await readFile(mark, "utf8").catch(() => "")).trim() || "no reason is known",
      );
  }
  return failures;
}

/** Removes the marks of failures, so that what failed is tried again. */
export async function forgetFailures(
  folder: StudyFolder,
  networks: readonly PlannedNetwork[],
): Promise<void> {
  for (const { fingerprint } of networks) await rm(markOf(folder, fingerprint), { force: true });
}

/** Tells whether an error is one of the disk, by which every other network would fail as well. */
const isOfDisk = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error &&
  ["ENOSPC", "EDQUOT", "EROFS", "EIO"].includes((error as NodeJS.ErrnoException).code ?? "");

/** What a look for a network to train came to: one that is taken, a reason to wait, or nothing that is left. */
type Taken = { network: PlannedNetwork; lock: Lock } | { waitFor: string } | "none";

/** What is known when a worker looks for a network to train. */
interface Look {
  due: ReadonlySet<string>;
  failures: ReadonlyMap<string, string>;
  /** What was seen of other machines' locks. */
  watch: LockWatch;
}

/** Takes the first network that is ready and that nobody else is at work on. */
async function takeNext({ folder, mine, all }: WorkOptions, { due, failures, watch }: Look): Promise<Taken> {
  let waitFor: string | undefined;
  const failed = failedAmong(folder, all, (fingerprint) => failures.has(fingerprint));
  for (const network of mine) {
    const { fingerprint } = network;
    if (!due.has(fingerprint) || failed.has(fingerprint)) continue;
    const missing = network.teachers.find((teacher) => !existsSync(folder.network(teacher).weights));
    if (missing !== undefined) {
      waitFor ??= `the teacher ${shortOf(missing)} is not trained yet`;
      continue;
    }
    const { work } = folder.network(fingerprint);
    await mkdir(work, { recursive: true });
    const lock = await acquireLock(join(work, "lock"), { watch }).catch((error) => {
      // Only a lock that is held is a reason to wait: a disk that is full, or read only, stays so.
      if (!(error instanceof LockHeld)) throw error;
      return error.message;
    });
    if (typeof lock === "string") {
      waitFor = lock;
      continue;
    }
    let isTaken = false;
    try {
      // Another process may have finished it between the look and the lock.
      await folder.refresh();
      isTaken = whatIsDue(folder, all).due.has(fingerprint);
      if (isTaken) {
        await removeLeftoversOf(folder, fingerprint);
        return { network, lock };
      }
    } finally {
      if (!isTaken) await lock.release();
    }
  }
  return waitFor === undefined ? "none" : { waitFor };
}

/** Removes what a process that was killed has half written of a network. Whoever holds the network's lock is the only one to write it. */
async function removeLeftoversOf(folder: StudyFolder, fingerprint: string): Promise<void> {
  const { work, file } = folder.network(fingerprint);
  await removeLeftovers(work, { recursive: true, alone: true });
  // What it has told watchers of itself is not so any more.
  await rm(join(work, "progress.json"), { force: true });
  const among = (name: string) => name.replace(/^\./, "").startsWith(shortOf(fingerprint));
  await removeLeftovers(dirname(file), { alone: true, among });
}

/** Tells which networks cannot be trained: those that have failed, and those that these would teach. */
function failedAmong(
  folder: StudyFolder,
  all: readonly PlannedNetwork[],
  hasFailed: (fingerprint: string) => boolean,
): Set<string> {
  const failed = new Set<string>();
  for (const { fingerprint, teachers } of all)
    if (
      hasFailed(fingerprint) ||
      teachers.some((teacher) => failed.has(teacher)) ||
      existsSync(markOf(folder, fingerprint))
    )
      failed.add(fingerprint);
  return failed;
}

/** Removes the weights that no network needs any more. */
export async function removeIdleWeights({ folder, all }: Pick<WorkOptions, "folder" | "all">): Promise<void> {
  const { finished, weights } = folder.list();
  const { needed } = whatIsDue(folder, all);
  for (const { fingerprint } of all) {
    const short = shortOf(fingerprint);
    if (weights.has(short) && finished.has(short) && !needed.has(fingerprint))
      await folder.removeWeights(fingerprint);
  }
}

/** The file that a failed training leaves for the other processes, with its message. */
const markOf = (folder: StudyFolder, fingerprint: string) =>
  join(folder.network(fingerprint).work, "failed.txt");
