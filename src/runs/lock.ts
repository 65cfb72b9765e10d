import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { type FileHandle, link, open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import type { z } from "zod";
import { schema } from "../packages.js";
import { writeError } from "../write-error.js";

/** Seconds from one sign of life of a lock's holder to the next. */
const BEAT_SECONDS = 20;
/** Seconds without a sign of life after which a lock of another machine counts as left by a process that ended. */
const STALE_SECONDS = 300;

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
  }),
);
type Holder = z.infer<ReturnType<typeof holderSchema>>;

/** A lock that this process holds. */
export interface Lock {
  /**
   * Checks that the lock is still this process's own. It is not where a person has removed it, or where this machine slept so long
   * that another one took the lock over.
   *
   * @throws Error that names the file, and the process that has it now
   */
  assertHeld(): Promise<void>;
  /** Releases the lock, if it is still this process's own. */
  release(): Promise<void>;
}

/**
 * Acquires a lock file, so that two processes never train into one folder. A lock whose process has ended is
 * replaced: one of this machine where there is no such process, one of another machine where its holder has given no sign of life
 * for {@link STALE_SECONDS}. While the lock is held, a sign of life is given every {@link BEAT_SECONDS} whenever the event loop turns.
 *
 * @throws Error that names the process which holds it
 */
export async function acquireLock(path: string): Promise<Lock> {
  const mine = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    ...namespaceEntry(),
    beat: BEAT_SECONDS,
  } satisfies Holder);
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "wx");
    await file.writeFile(mine);
    // The time by the clock of the disk, which may be that of a server.
    const now = (await file.stat()).mtimeMs;
    // A hard link, unlike a file that is written, appears with all its content or not at all, and replaces no
    // other file.
    while (!(await tryLink(temporary, path))) await removeStale(path, now);
  } catch (error) {
    await file?.close().catch(() => {});
    throw isOfSystem(error) ? writeError(error, { path, bytes: mine.length }) : error;
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
  return held(path, mine, file);
}

/** Tells whether a process that is still alive holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const content = await readLock(path);
  return content !== undefined && isAlive(parse(content), await ageOf(path, Date.now()));
}

function held(path: string, mine: string, file: FileHandle): Lock {
  let released = false;
  const isMine = async () => {
    const [own, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
    return there !== undefined && own.ino === there.ino && own.dev === there.dev;
  };
  // The same bytes over those that are there, in the file itself and not by its name: so a lock that another process has
  // put in its place is never touched.
  const beat = () => void file.write(mine, 0).catch(() => {});
  const timer = setInterval(beat, BEAT_SECONDS * 1000);
  timer.unref();
  return {
    assertHeld: async () => {
      if (released || (await isMine())) return;
      const content = await readLock(path).catch(() => undefined);
      const holder = content === undefined ? undefined : parse(content);
      const who = holder ? `${nameOf(holder)} has taken it` : "it is gone";
      throw new Error(
        `${path}: was this process's own, and ${who}: nothing more is written here, so that two do not train into one folder`,
      );
    },
    release: async () => {
      if (released) return;
      const own = (await isMine()) && (await readFile(path, "utf8").catch(() => "")) === mine;
      released = true;
      clearInterval(timer);
      await file.close().catch(() => {});
      // On a disk that has become read only the lock stays; it counts as left, once this process has ended.
      if (own) await rm(path, { force: true }).catch(() => {});
    },
  };
}

async function tryLink(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // The process that holds the lock may clear away what looks like a killed one's.
    if (code === "ENOENT") throw new Error("another process has just begun to work in this folder");
    throw error;
  }
}

/**
 * Removes the lock of a process that has ended, or throws an Error that names the process which is still
 * alive.
 *
 * @param now the time by the disk's clock, in milliseconds
 */
async function removeStale(path: string, now: number): Promise<void> {
  const age = await ageOf(path, now);
  const content = await readLock(path);
  if (content === undefined) return;
  const holder = parse(content);
  if (isAlive(holder, age))
    throw new Error(`${inWords(holder, age)}; if you know that it is not, remove ${path}`);
  // Another process may have replaced the stale lock since it was read: then what was moved aside is that
  // process's lock, and goes back to its place.
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await rename(path, aside).catch(() => {});
  if ((await readLock(aside)) !== content) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

const nameOf = ({ pid, host }: Holder) => `process ${pid} on ${host}`;

function inWords(holder: Holder | undefined, age: number): string {
  if (!holder) return "another process is at work in this folder";
  const seen =
    isOfHere(holder) || holder.beat === undefined
      ? ""
      : ` (last sign of life ${Math.max(0, Math.round(age))} s ago; after ${STALE_SECONDS} s without one the folder is free)`;
  return `${nameOf(holder)} is at work in this folder${seen}`;
}

async function readLock(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** The seconds since a file was written last. */
async function ageOf(path: string, now: number): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? (now - found.mtimeMs) / 1000 : 0;
}

function parse(content: string): Holder | undefined {
  try {
    return holderSchema().parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

/** Tells whether the process that a lock names can be looked for here: it is of this machine, and of this container. */
function isOfHere({ host, namespace }: Holder): boolean {
  return host === hostname() && (namespace === undefined || namespace === namespaceEntry().namespace);
}

/**
 * Tells whether the process that a lock names is alive. One on another machine cannot be looked for: it counts as alive as long as it
 * gives signs of life, and always where its version gives none. A lock without readable content, as a full disk leaves it, counts
 * as that of a process that ended.
 *
 * @param age seconds since the lock was written last
 */
function isAlive(holder: Holder | undefined, age: number): boolean {
  if (!holder) return false;
  if (!isOfHere(holder)) return holder.beat === undefined || age < Math.max(STALE_SECONDS, 5 * holder.beat);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return holder.started === null || holder.started === startOf(holder.pid);
}

const isOfSystem = (error: unknown) => typeof (error as NodeJS.ErrnoException).code === "string";

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
