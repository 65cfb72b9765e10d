/** The work at a study: takes network after network that is ready to be trained, until none is left. */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { OnProgress } from "../generations/index.js";
import type { Library } from "../recipe/index.js";
import { acquireLock } from "../runs/index.js";
import type { StudyImages } from "./images.js";
import type { PlannedNetwork } from "./plan.js";
import type { StudyFolder } from "./study-folder.js";
import { trainPlanned } from "./train-planned.js";

/** An event of the work at a study. */
export type WorkEvent =
  | { type: "begun"; network: PlannedNetwork }
  | { type: "progress"; network: PlannedNetwork; event: Parameters<OnProgress>[0] }
  | { type: "finished"; network: PlannedNetwork }
  | { type: "failed"; network: PlannedNetwork; message: string };

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

/** How long a worker waits before it looks again whether another has finished what it needs, in milliseconds. */
const PATIENCE = 1000;

/**
 * Trains the networks of a study that are not finished, one after another. Several processes can work at one folder:
 * each takes what no other is at work on, and waits where only others' work is left.
 *
 * A network whose training fails is left out together with those that it would teach; the rest goes on.
 *
 * @returns the failures, by fingerprint
 */
export async function workAt(options: WorkOptions): Promise<Map<string, string>> {
  const { folder, mine, signal, onEvent } = options;
  const images: StudyImages = new Map();
  const failures = new Map<string, string>();
  while (!signal?.aborted) {
    const next = await takeNext(options, failures);
    if (next === "none") break;
    if (next === "wait") {
      await wait(PATIENCE, undefined, signal ? { signal } : {}).catch(() => {});
      continue;
    }
    const { network, release } = next;
    try {
      onEvent?.({ type: "begun", network });
      const finished = await trainPlanned(network, {
        ...options,
        images,
        teaches: teaches(network, options),
        onProgress: (event) => onEvent?.({ type: "progress", network, event }),
      });
      if (!finished) break;
      await removeIdleWeights(options);
      onEvent?.({ type: "finished", network });
    } catch (error) {
      if (signal?.aborted && (error === signal.reason || (error as Error).name === "AbortError")) break;
      const message = (error as Error).message;
      failures.set(network.fingerprint, message);
      await writeFile(join(folder.network(network.fingerprint).work, "failed.txt"), `${message}\n`);
      onEvent?.({ type: "failed", network, message });
    } finally {
      await release();
    }
  }
  for (const network of mine) {
    const failed = join(folder.network(network.fingerprint).work, "failed.txt");
    if (!failures.has(network.fingerprint) && existsSync(failed))
      failures.set(network.fingerprint, "failed in another process");
  }
  return failures;
}

/** Removes the marks of failures, so that what failed is tried again. */
export async function forgetFailures(
  folder: StudyFolder,
  networks: readonly PlannedNetwork[],
): Promise<void> {
  for (const { fingerprint } of networks)
    await rm(join(folder.network(fingerprint).work, "failed.txt"), { force: true });
}

/** Takes the first network that is ready and that nobody else is at work on. */
async function takeNext(
  { folder, mine, all }: WorkOptions,
  failures: ReadonlyMap<string, string>,
): Promise<{ network: PlannedNetwork; release: () => Promise<void> } | "wait" | "none"> {
  let busy = false;
  for (const network of toTrain(folder, mine, all)) {
    const { fingerprint } = network;
    const { work } = folder.network(fingerprint);
    if (failures.has(fingerprint) || existsSync(join(work, "failed.txt"))) continue;
    if (network.teachers.some((teacher) => hasFailed(folder, teacher, all))) continue;
    if (!network.teachers.every((teacher) => existsSync(folder.network(teacher).weights))) {
      busy = true;
      continue;
    }
    await mkdir(work, { recursive: true });
    const release = await acquireLock(join(work, "lock")).catch(() => undefined);
    if (!release) {
      busy = true;
      continue;
    }
    // Another process may have finished it between the look and the lock.
    if (!isDue(folder, network, all)) {
      await release();
      continue;
    }
    return { network, release };
  }
  return busy ? "wait" : "none";
}

/** Lists the networks that are to be trained, in the order of the plan. */
export function toTrain(
  folder: StudyFolder,
  mine: readonly PlannedNetwork[],
  all: readonly PlannedNetwork[],
): PlannedNetwork[] {
  return mine.filter((network) => isDue(folder, network, all));
}

/**
 * Tells whether a network is to be trained: it is not finished, or it is to teach one that is not, and its weights
 * are not there.
 */
function isDue(folder: StudyFolder, network: PlannedNetwork, all: readonly PlannedNetwork[]): boolean {
  const { fingerprint } = network;
  if (!folder.isFinished(fingerprint)) return true;
  if (existsSync(folder.network(fingerprint).weights)) return false;
  return all.some((other) => other.teachers.includes(fingerprint) && isDue(folder, other, all));
}

function teaches({ fingerprint }: PlannedNetwork, { folder, all }: WorkOptions): boolean {
  return all.some((other) => other.teachers.includes(fingerprint) && isDue(folder, other, all));
}

/** Tells whether a network's training, or that of one that teaches it, has failed. */
function hasFailed(folder: StudyFolder, fingerprint: string, all: readonly PlannedNetwork[]): boolean {
  if (existsSync(join(folder.network(fingerprint).work, "failed.txt"))) return true;
  const network = all.find((one) => one.fingerprint === fingerprint);
  return network?.teachers.some((teacher) => hasFailed(folder, teacher, all)) ?? false;
}

/** Removes the weights that no network needs any more. */
export async function removeIdleWeights({ folder, all }: Pick<WorkOptions, "folder" | "all">): Promise<void> {
  for (const { fingerprint } of all) {
    const needed = all.some((other) => other.teachers.includes(fingerprint) && isDue(folder, other, all));
    if (!needed && folder.isFinished(fingerprint)) await folder.removeWeights(fingerprint);
  }
}
