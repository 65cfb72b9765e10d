import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { z } from "zod";
import { schema } from "../packages.js";

const holderSchema = schema((z) =>
  z.object({
    pid: z.int().positive(),
    host: z.string().max(300),
    /**
     * When the process started, which tells it from a later one with the same number; null where that is not
     * known.
     */
    started: z.string().max(100).nullable(),
  }),
);
type Holder = z.infer<ReturnType<typeof holderSchema>>;

/**
 * Acquires a lock file, so that two processes never train into one folder. A lock whose process has ended is
 * replaced.
 *
 * @returns a function that releases the lock
 * @throws Error that names the process which holds it
 */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const mine = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
  } satisfies Holder);
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(temporary, mine, { flag: "wx" });
  try {
    // A hard link, unlike a file that is written, appears with all its content or not at all, and replaces no
    // other file.
    while (!(await tryLink(temporary, path))) await removeStale(path);
  } finally {
    await rm(temporary, { force: true });
  }
  return async () => {
    if ((await readFile(path, "utf8").catch(() => "")) === mine) await rm(path, { force: true });
  };
}

/** Tells whether a process that is still alive holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const content = await readLock(path);
  return content !== undefined && isAlive(parse(content));
}

async function tryLink(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the lock of a process that has ended, or throws an Error that names the process which is still
 * alive.
 */
async function removeStale(path: string): Promise<void> {
  const content = await readLock(path);
  if (content === undefined) return;
  const holder = parse(content);
  if (isAlive(holder)) {
    const who = holder ? `process ${holder.pid} on ${holder.host}` : "another process";
    throw new Error(`${who} is at work in this folder; if you know that it is not, remove ${path}`);
  }
  // Another process may have replaced the stale lock since it was read: then what was moved aside is that
  // process's lock, and goes back to its place.
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await rename(path, aside).catch(() => {});
  if ((await readLock(aside)) !== content) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

async function readLock(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

function parse(content: string): Holder | undefined {
  try {
    return holderSchema().parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

/**
 * Tells whether the process that a lock names is alive. A process on another machine counts as alive, since
 * that cannot be checked from here. A lock without readable content, as a full disk leaves it, counts as that
 * of a process that ended.
 */
function isAlive(holder: Holder | undefined): boolean {
  if (!holder) return false;
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return holder.started === null || holder.started === startOf(holder.pid);
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
