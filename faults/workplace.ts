/** Where faults are tried: a temporary folder, the jobs in it, and the ends to which they come unbroken. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandOptions, type Ended, lyceum } from "./command.js";
import { differingFiles, type EndState, endStateOf, lastWeights } from "./end-state.js";
import type { Digest, Outcome } from "./fault.js";
import { type JobName, jobNames, jobs } from "./jobs.js";

/** A job that came to its end unbroken. */
export interface Unbroken {
  end: EndState;
  /** Milliseconds that the whole command took. */
  milliseconds: number;
}

/** A job that a fault is to strike, in a folder of its own. */
export interface Job {
  name: JobName;
  /** The folder of the command: its recipe lies there, and the run below it. */
  folder: string;
  /** The run's folder. */
  run: string;
}

export class Workplace {
  readonly #unbroken = new Map<JobName, Promise<Unbroken>>();
  readonly #halfway = new Map<JobName, Promise<Job>>();
  #count = 0;

  /** @param root the folder for all of it */
  constructor(readonly root = mkdtempSync(join(tmpdir(), "lyceum-faults-"))) {}

  /** Makes a job that has not begun. @param folder where; default: a new folder */
  job(name: JobName, folder = join(this.root, `${this.#count++}-${name}`)): Job {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "job.yaml"), jobs[name]);
    return { name, folder, run: join(folder, "runs", "job") };
  }

  /** The job whose turn it is in a try. */
  turn(index: number): JobName {
    return jobNames[index % jobNames.length]!;
  }

  /** Begins a job or goes on with it, as a scheduler does. */
  train({ folder }: Job, options: Omit<CommandOptions, "cwd"> = {}): Promise<Ended> {
    return lyceum(["train", "job.yaml", "--name", "job", "--auto-resume"], { cwd: folder, ...options });
  }

  /** Gives the end to which a job comes unbroken; it is trained once. */
  unbroken(name: JobName): Promise<Unbroken> {
    let known = this.#unbroken.get(name);
    if (!known) {
      known = this.#train(name);
      this.#unbroken.set(name, known);
    }
    return known;
  }

  async #train(name: JobName): Promise<Unbroken> {
    const job = this.job(name, join(this.root, `unbroken-${name}`));
    const ended = await this.train(job);
    if (ended.code !== 0) throw new Error(`the unbroken job ${name} failed: ${lastLines(ended.output)}`);
    return { end: endStateOf(job.run), milliseconds: ended.at - ended.began };
  }

  /** Gives a copy of a job that was stopped within its second generation, whose first is finished. */
  async halfway(name: JobName): Promise<Job> {
    let known = this.#halfway.get(name);
    if (!known) {
      known = this.#stopHalfway(name);
      this.#halfway.set(name, known);
    }
    const source = await known;
    const job = this.job(name);
    this.copyRun(join(source.folder, "runs"), job);
    return job;
  }

  async #stopHalfway(name: JobName): Promise<Job> {
    const job = this.job(name, join(this.root, `halfway-${name}`));
    let stopped = false;
    const ended = await this.train(job, {
      onOutput: (output, child) => {
        if (stopped || !output.includes("generation 2/3 student  epoch 2/3")) return;
        stopped = true;
        child.kill("SIGTERM");
      },
    });
    if (ended.code !== 130)
      throw new Error(`the job ${name} could not be stopped halfway: ${lastLines(ended.output)}`);
    return job;
  }

  /** Gives a job a run that lies elsewhere. @param runs the folder of runs that holds it */
  copyRun(runs: string, { run }: Job): void {
    cpSync(join(runs, "job"), run, { recursive: true, preserveTimestamps: true });
  }

  /** Takes away all that a job has done, so that it begins anew. */
  restart({ folder }: Job): void {
    rmSync(join(folder, "runs"), { recursive: true, force: true });
  }

  /** Goes on with a job until it ends, and compares the end with the unbroken one. */
  async finish(job: Job, lostSeconds: number): Promise<Outcome> {
    const ended = await this.train(job);
    return this.judge(job, ended, lostSeconds);
  }

  /** Compares the end of a job with that of the unbroken one. */
  async judge(job: Job, ended: Ended, lostSeconds: number): Promise<Outcome> {
    if (ended.code !== 0) {
      const how = ended.signal ?? `exit code ${ended.code}`;
      return { survived: false, lostSeconds, problem: `${how}: ${lastLines(ended.output)}` };
    }
    const { differing, digest } = await this.compare(job);
    const problem = differing.length > 0 ? `other than unbroken: ${differing.join(", ")}` : undefined;
    return { survived: true, bitIdentical: differing.length === 0, digest, lostSeconds, problem };
  }

  /** Says in which files a job that is at its end differs from the unbroken one, and gives both last weights' SHA-256. */
  async compare(job: Job): Promise<{ differing: string[]; digest: Digest }> {
    const { end } = await this.unbroken(job.name);
    const found = endStateOf(job.run);
    const weights = lastWeights(end)!;
    return {
      differing: differingFiles(end, found),
      digest: {
        of: `${job.name}: ${weights}`,
        unbroken: end.get(weights)!,
        found: found.get(weights) ?? "not there",
      },
    };
  }

  /** Removes a job's folder, where what happened to it needs no looking into. */
  clear({ folder }: Job, { problem }: Outcome): void {
    if (problem === undefined) rmSync(folder, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The end of what a command wrote. */
export const lastLines = (output: string) => output.trimEnd().split("\n").slice(-3).join(" | ").slice(-500);

/** Whether a command failed by a sentence: it ended by itself, and shows no trace of a stack. */
export function isSentence({ code, output }: Ended): boolean {
  return (
    code !== null && code !== 0 && /^lyceum: .{10}/m.test(output) && !/^\s+at .*:\d+:\d+\)?$/m.test(output)
  );
}

/**
 * Gives the seconds from the last state on the disk with which a job can go on, or from its process's beginning, to a fault.
 *
 * @param at when the fault struck, in milliseconds of the wall clock
 */
export function lostUntil(at: number, run: string, began: number): number {
  const durable = existsSync(run)
    ? readdirSync(run, { recursive: true, withFileTypes: true })
        .filter(
          (entry) => entry.isFile() && /^(summary\.json|.*\.(safetensors|unfinished))$/.test(entry.name),
        )
        .map((entry) => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
    : [];
  return Math.max(0, at - Math.max(began, ...durable)) / 1000;
}
