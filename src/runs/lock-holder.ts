/** The process that holds a lock: how a lock's file names it, and what can be known of whether it still works. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { z } from "zod";
import { schema } from "../packages.js";

/** Seconds from one sign of life of a lock's holder to the next. */
export const BEAT_SECONDS = 20;

const holderSchema = schema((z) =>
  z.object({
    pid: z.int().positive(),
    host: z.string().max(300),
    /**
     * When the process started, which tells it from a later one with the same number; null where that is not
     * known.
     */
    started: z.string().max(100).nullable(),
    /** The namespace in which the process has its number, as containers have their own; left out where that is not known. */
    namespace: z.string().max(100).exactOptional(),
    /**
     * Seconds after which the holder writes the file anew at the latest, so that its time says that the holder is alive; left out
     * in locks of earlier versions, whose holders do not.
     */
    beat: z.number().positive().exactOptional(),
    /** The job of Slurm that the process is part of, and how often that job was begun again; left out outside of one. */
    job: z.object({ id: z.string().max(300), restart: z.int().min(0) }).exactOptional(),
  }),
);

export type Holder = z.infer<ReturnType<typeof holderSchema>>;

/** Describes this process as the holder of a lock. */
export function thisProcess(): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    ...namespaceEntry(),
    beat: BEAT_SECONDS,
    ...jobEntry(process.env),
  };
}

/** Reads a lock's content; undefined where it has no sense in it. */
export function parseHolder(content: string): Holder | undefined {
  try {
    return holderSchema().parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

/** Names a holder for a person. */
export const nameOfHolder = ({ pid, host }: Holder) => `process ${pid} on ${host}`;

/** Tells whether the process that a lock names can be looked for here: it is of this machine, and of this container. */
function isOfHere({ host, namespace }: Holder): boolean {
  return host === hostname() && (namespace === undefined || namespace === namespaceEntry().namespace);
}

/**
 * Tells what is known of the process that a lock names. A lock without readable content, as a full disk leaves it, counts as that
 * of a process that ended, and so does one of this very job of Slurm from before it was begun again: Slurm begins a job again only when
 * nothing of it runs any more.
 *
 * @returns "unknown" for a process elsewhere, which cannot be looked for: only its signs of life tell; "silent" where its version
 *   gives none
 */
export function fateOf(holder: Holder | undefined): "alive" | "ended" | "unknown" | "silent" {
  if (!holder) return "ended";
  const { job } = jobEntry(process.env);
  if (job && holder.job?.id === job.id && holder.job.restart < job.restart) return "ended";
  if (!isOfHere(holder)) return holder.beat === undefined ? "silent" : "unknown";
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "alive" : "ended";
  }
  return holder.started === null || holder.started === startOf(holder.pid) ? "alive" : "ended";
}

/**
 * Says when a process started, as the boot's identifier and the clock ticks since; null where there is no
 * /proc.
 */
function startOf(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name in brackets, may hold spaces.
    return `${boot} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return null;
  }
}

/** The namespace of this process's number, as an entry of a lock; empty where there is no /proc. */
function namespaceEntry(): { namespace?: string } {
  try {
    return { namespace: readlinkSync("/proc/self/ns/pid") };
  } catch {
    return {};
  }
}

/** The job of Slurm that this process is part of, as an entry of a lock; empty outside of one. */
function jobEntry(env: NodeJS.ProcessEnv): { job?: { id: string; restart: number } } {
  const { SLURM_JOB_ID: id, SLURM_CLUSTER_NAME: cluster = "", SLURM_RESTART_COUNT: restart = "0" } = env;
  if (!id || id.length > 100 || cluster.length > 100 || !/^\d{1,9}$/.test(restart)) return {};
  return { job: { id: `${cluster}/${id}`, restart: Number(restart) } };
}
