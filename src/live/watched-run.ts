import { basename, join, resolve } from "node:path";
import {
  describeRun,
  type LiveProgress,
  RunFolder,
  type RunListing,
  readProgress,
  type Sittings,
  type Summary,
} from "../runs/index.js";
import { LogTail } from "./log-tail.js";
import type { Found } from "./places.js";
import { signatureOf } from "./signature.js";

/** The files by which a run's state is known. The lock comes and goes with the process, and changes with its signs of life. */
const files = ["recipe.yaml", "environment.json", "summary.json", "metrics.jsonl", ".lock"];

/**
 * After so long without a change of progress.json, in milliseconds, it says nothing of now: the generation is being evaluated, a
 * step takes long, or a killed process has left the file.
 */
const SILENT_MS = 60_000;

/** What a run's page shows beside its log. */
export interface RunDetails {
  run: RunFolder;
  summary: Summary | undefined;
  environment: Sittings | undefined;
}

/** A run that is watched: what its files say, read again when they change. Nothing is ever written. */
export class WatchedRun {
  readonly kind = "run";
  readonly name: string;
  readonly directory: string;
  #listing: RunListing;
  #progress: LiveProgress | undefined;
  #signature = "";
  #progressSignature = "";
  /** When the file was last seen to change, by the clock of this process. */
  #progressSeen = 0;
  #log: LogTail | undefined;
  #version = 0;

  constructor({ name, directory }: Found) {
    this.name = name;
    this.directory = directory;
    this.#listing = { name, directory, state: "unfinished" };
  }

  /** Grows whenever something of the run has changed. */
  get version(): number {
    return this.#version;
  }

  get listing(): RunListing {
    return this.#listing;
  }

  /** The name of the run's folder, without the path to it. */
  get shortName(): string {
    return basename(resolve(this.directory));
  }

  /** Where the generation under way stands; undefined where nobody trains, or nothing is known of it yet. */
  get progress(): LiveProgress | undefined {
    const { state, generations } = this.#listing;
    const isOfIt = state === "training" && this.#progress?.generation === generations?.finished;
    return isOfIt && performance.now() - this.#progressSeen < SILENT_MS ? this.#progress : undefined;
  }

  /**
   * Looks at the run's files.
   *
   * @param again whether it is asked anew if a process is at work, which no file tells when one is killed, and what could not be read
   * @returns whether anything has changed
   */
  async refresh({ again }: { again: boolean }): Promise<boolean> {
    const version = this.#version;
    const [signature, progressSignature] = await Promise.all([
      signatureOf(this.directory, files),
      signatureOf(this.directory, ["progress.json"]),
    ]);
    if (signature !== this.#signature || (again && this.#listing.state !== "finished")) {
      const listing = await describeRun({ name: this.name, directory: this.directory });
      const isSame =
        signature === this.#signature &&
        listing.state === this.#listing.state &&
        listing.problem === this.#listing.problem;
      this.#listing = listing;
      this.#signature = signature;
      if (!isSame) this.#version++;
    }
    if (progressSignature !== this.#progressSignature) {
      this.#progressSignature = progressSignature;
      this.#progressSeen = performance.now();
      this.#progress = await readProgress(join(this.directory, "progress.json"));
      this.#version++;
    }
    return this.#version !== version;
  }

  /** The run's log, as far as it has grown. */
  async log(): Promise<LogTail> {
    this.#log ??= new LogTail(join(this.directory, "metrics.jsonl"));
    await this.#log.read();
    return this.#log;
  }

  /**
   * Reads what the run's page shows beside its log.
   *
   * @throws Error that says what is wrong with a file
   */
  async details(): Promise<RunDetails> {
    const run = await RunFolder.look(this.directory);
    return { run, summary: await run.readSummary(), environment: await run.readEnvironment() };
  }
}
