import { existsSync } from "node:fs";
import { join } from "node:path";
import { filesOf, type Imports, isLocked, libraryOf, readProgress } from "../runs/index.js";
import {
  calibrated,
  openStudy,
  type PlannedNetwork,
  planStudy,
  StudyFolder,
  type StudyResult,
} from "../study/index.js";
import { LogTail } from "./log-tail.js";
import type { Found } from "./places.js";
import { signatureOf } from "./signature.js";

/** How far a network is that is in training. */
export interface NetworkProgress {
  /** The fraction of its epochs. */
  fraction: number;
  /** Accuracy on the held-out images after the last epoch that has one. */
  heldOut?: number;
  imagesPerSecond?: number;
}

/** What is known of a study. */
export interface StudyState {
  result: StudyResult;
  networks: readonly PlannedNetwork[];
  /** Whether each network is trained, by fingerprint. */
  finished: ReadonlySet<string>;
}

/** A study that is watched: what its files say, read again when they change. Nothing is ever written. */
export class WatchedStudy {
  readonly kind = "study";
  readonly name: string;
  readonly directory: string;
  readonly #imports: Imports;
  #signature = "";
  #workSignature = "";
  #state: StudyState | undefined;
  #problem: string | undefined;
  #training = new Map<string, NetworkProgress>();
  readonly #logs = new Map<string, LogTail>();
  #version = 0;

  constructor({ name, directory }: Found, imports: Imports) {
    this.name = name;
    this.directory = directory;
    this.#imports = imports;
  }

  /** Grows whenever something of the study has changed. */
  get version(): number {
    return this.#version;
  }

  /** What is known of it; undefined where its files cannot be read. */
  get state(): StudyState | undefined {
    return this.#state;
  }

  /** Why its files cannot be read. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The networks that are in training, by fingerprint. */
  get training(): ReadonlyMap<string, NetworkProgress> {
    return this.#training;
  }

  /** Looks at the study's files. @returns whether anything has changed */
  async refresh(): Promise<boolean> {
    const version = this.#version;
    const signature = await signatureOf(this.directory, ["study.yaml", "calibration.json", "networks"]);
    const problem = this.#problem;
    if (signature !== this.#signature || problem !== undefined) {
      await this.#open();
      // What is wrong may be mended in a file that is not looked at; until then nothing has changed.
      if (signature !== this.#signature || problem !== this.#problem) this.#version++;
      this.#signature = signature;
    }
    const training = await this.#findTraining();
    const workSignature = JSON.stringify([...training]);
    if (workSignature !== this.#workSignature) {
      this.#workSignature = workSignature;
      this.#training = training;
      this.#version++;
    }
    return this.#version !== version;
  }

  async #open(): Promise<void> {
    try {
      const imports = this.#imports;
      const result = await openStudy(this.directory, { imports, ensembles: false });
      const folder = new StudyFolder(this.directory);
      const study = await calibrated(await folder.readStudy(libraryOf(imports)), folder.directory);
      const plan = planStudy(
        study,
        filesOf(imports).map(({ sha256 }) => sha256),
      );
      const finished = new Set(
        plan.networks.map(({ fingerprint }) => fingerprint).filter((each) => folder.isFinished(each)),
      );
      this.#state = { result, networks: plan.networks, finished };
      this.#problem = undefined;
    } catch (error) {
      // What was read before stays: a file may be on its way to another machine.
      this.#problem = (error as Error).message;
    }
  }

  async #findTraining(): Promise<Map<string, NetworkProgress>> {
    const training = new Map<string, NetworkProgress>();
    if (!this.#state) return training;
    const folder = new StudyFolder(this.directory);
    const left = this.#state.networks.filter(({ fingerprint }) => !this.#state!.finished.has(fingerprint));
    const isLeft = new Set(left.map(({ fingerprint }) => fingerprint));
    for (const fingerprint of this.#logs.keys()) if (!isLeft.has(fingerprint)) this.#logs.delete(fingerprint);
    for (const { fingerprint, epochs } of left) {
      const paths = folder.network(fingerprint);
      if (!existsSync(paths.work)) continue;
      if (!(await isLocked(join(paths.work, "lock")).catch(() => false))) continue;
      const progress = await readProgress(join(paths.work, "progress.json"));
      let log = this.#logs.get(fingerprint);
      log ??= new LogTail(join(paths.work, "metrics.jsonl"));
      this.#logs.set(fingerprint, log);
      await log.read();
      const { records } = log;
      const last = records.at(-1);
      const heldOut = records.findLast(({ validation }) => validation)?.validation?.top1;
      const done = progress
        ? progress.epoch - 1 + progress.step / Math.max(1, progress.stepsPerEpoch)
        : (last?.epoch ?? 0);
      const imagesPerSecond = progress?.imagesPerSecond ?? last?.imagesPerSecond;
      training.set(fingerprint, {
        fraction: Math.min(1, Math.max(done, last?.epoch ?? 0) / epochs),
        ...(heldOut !== undefined && { heldOut }),
        ...(imagesPerSecond !== undefined && { imagesPerSecond }),
      });
    }
    return training;
  }
}
