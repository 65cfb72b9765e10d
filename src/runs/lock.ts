import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, readFile, rename, rm, stat } from "node:fs/promises";
import { writeError } from "../write-error.js";
import { BEAT_SECONDS, fateOf, type Holder, nameOfHolder, parseHolder, thisProcess } from "./lock-holder.js";
import type { LockWatch } from "./lock-watch.js";

/** Seconds without a sign of life after which a lock of another machine counts as left by a process that ended. */
export const STALE_SECONDS = 300;
/** Seconds after its last sign of life for which the holder of a watched lock counts as surely alive. */
const SURE_SECONDS = 3 * BEAT_SECONDS;

/** The longest file that is a lock, in bytes; one of this version takes some two hundred. */
const MAX_LOCK = 4096;

/** The error of a lock that another process holds. */
export class LockHeld extends Error {
  override name = "LockHeld";
  /** Whether the holder is surely at work, as far as that can be seen; otherwise it may have ended without a trace. */
  readonly isSure: boolean;

  constructor(message: string, isSure: boolean) {
    super(message);
    this.isSure = isSure;
  }
}

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
  /** Holds the lock no more and leaves its file, as if this process had been killed. */
  abandon(): Promise<void>;
}

export interface LockOptions {
  /**
   * What this process has seen of locks so far, where it looks again and again. Locks of other machines are then judged by that alone.
   * Default: a lock's age is judged by the clock of its disk.
   */
  watch?: LockWatch;
}

/**
 * Acquires a lock file, so that two processes never train into one folder. A lock whose process has ended is
 * replaced: one of this machine where there is no such process, one of another machine where its holder has given no sign of life
 * for {@link STALE_SECONDS}. While the lock is held, a sign of life is given every {@link BEAT_SECONDS} whenever the event loop turns.
 *
 * @throws LockHeld that names the process which holds it
 */
export async function acquireLock(path: string, { watch }: LockOptions = {}): Promise<Lock> {
  // Where it is held, a process that looks again and again leaves the disk alone but for this look.
  if (watch) refuseHeld(path, await readLock(path), { watch });
  const mine = JSON.stringify(thisProcess());
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "wx");
    await file.writeFile(mine);
    // The time by the clock of the disk, which may be that of a server.
    const now = (await file.stat()).mtimeMs;
    // A hard link, unlike a file that is written, appears with all its content or not at all, and replaces no
    // other file.
    while (!(await tryLink(temporary, path))) await removeStale(path, watch ? { watch } : { now });
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
  const found = await readLock(path);
  return found !== undefined && judge(path, found, { now: Date.now() }).isHeld;
}

/** Takes note of a lock's last sign of life, where its holder cannot be looked for. */
export async function lookAtLock(path: string, watch: LockWatch): Promise<void> {
  const found = await readLock(path);
  if (found) judge(path, found, { watch });
}

function held(path: string, mine: string, file: FileHandle): Lock {
  let released = false;
  const isMine = async () => {
    const [own, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
    return there !== undefined && own.ino === there.ino && own.dev === there.dev;
  };
  // The same bytes over those that are there, in the file itself and not by its name: so a lock that another process has
  // put in its place is never touched.
  const beat = () => void giveSign().catch(() => {});
  const giveSign = async () => {
    await file.write(mine, 0);
    // A disk in the network hears of it only now.
    await file.datasync();
  };
  const timer = setInterval(beat, BEAT_SECONDS * 1000);
  timer.unref();
  const end = async () => {
    released = true;
    clearInterval(timer);
    await file.close().catch(() => {});
  };
  return {
    assertHeld: async () => {
      if (released || (await isMine())) return;
      const found = await readLock(path).catch(() => undefined);
      const who = found?.holder ? `${nameOfHolder(found.holder)} has taken it` : "it is gone";
      throw new Error(
        `${path}: was this process's own, and ${who}: nothing more is written here, so that two do not train into one folder`,
      );
    },
    release: async () => {
      if (released) return;
      const own = (await isMine()) && (await readFile(path, "utf8").catch(() => "")) === mine;
      await end();
      // On a disk that has become read only the lock stays; it counts as left, once this process has ended.
      if (own) await rm(path, { force: true }).catch(() => {});
    },
    abandon: async () => {
      if (!released) await end();
    },
  };
}

async function tryLink(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A disk in the network may have made the link, and say so when asked a second time because its first answer was lost.
    if (code === "EEXIST") return (await stat(temporary).catch(() => undefined))?.nlink === 2;
    // The process that holds the lock may clear away what looks like a killed one's.
    if (code === "ENOENT") throw new LockHeld("another process has just begun to work in this folder", false);
    throw error;
  }
}

/** Removes the lock of a process that has ended, or throws a LockHeld that names the process which is still alive. */
async function removeStale(path: string, by: Judge): Promise<void> {
  const found = await readLock(path);
  if (found === undefined) return;
  refuseHeld(path, found, by);
  // Another process may have replaced the stale lock since it was read: then what was moved aside is that
  // process's lock, and goes back to its place.
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await rename(path, aside).catch(() => {});
  if ((await readLock(aside))?.content !== found.content) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** A lock's file as it was read. */
interface FoundLock {
  content: string;
  holder: Holder | undefined;
  /** When it was written last by the clock of its disk, in milliseconds. */
  writtenAt: number;
}

/** @returns undefined where there is no lock */
async function readLock(path: string): Promise<FoundLock | undefined> {
  let file: FileHandle | undefined;
  try {
    // A disk in the network gives the newest state of a file to whoever opens it, and only to those.
    // Opening a pipe would wait for a writer for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path}: is no file, where a lock has its place: remove it`);
    // What is too long to be a lock holds nothing, as one that was cut off.
    const content = found.size <= MAX_LOCK ? await file.readFile("utf8") : "";
    return { content, holder: parseHolder(content), writtenAt: found.mtimeMs };
  } catch (error) {
    if (["ENOENT", "ESTALE"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}

/** By what the signs of life of processes elsewhere are judged: what was seen of them, or the time now by the disk's clock, in milliseconds. */
type Judge = { watch: LockWatch } | { now: number };

/** Judges whether a lock's holder is alive. One elsewhere counts as alive as long as it gives signs of life, and always where its version gives none. */
function judge(
  path: string,
  found: FoundLock,
  by: Judge,
): { isHeld: boolean; isSure: boolean; seen: string } {
  const { holder, content, writtenAt } = found;
  const fate = fateOf(holder);
  if (fate !== "unknown") return { isHeld: fate !== "ended", isSure: fate !== "silent", seen: "" };
  const stale = Math.max(STALE_SECONDS, 5 * (holder?.beat ?? 0));
  if ("watch" in by) {
    const { silentSeconds, hasChanged } = by.watch.look(path, `${writtenAt} ${content}`);
    const isSure = hasChanged && silentSeconds < SURE_SECONDS;
    const seen = ` (once it gives no sign of life for ${stale} s, another takes over)`;
    return { isHeld: silentSeconds < stale, isSure, seen };
  }
  const age = (by.now - writtenAt) / 1000;
  const ago = Math.max(0, Math.round(age));
  const seen = ` (last sign of life ${ago} s ago; after ${stale} s without one the folder is free)`;
  return { isHeld: age < stale, isSure: false, seen };
}

/** @throws LockHeld where the lock's holder is alive */
function refuseHeld(path: string, found: FoundLock | undefined, by: Judge): void {
  if (!found) return;
  const { isHeld, isSure, seen } = judge(path, found, by);
  if (!isHeld) return;
  const who = found.holder ? nameOfHolder(found.holder) : "another process";
  throw new LockHeld(
    `${who} is at work in this folder${seen}; if you know that it is not, remove ${path}`,
    isSure,
  );
}

const isOfSystem = (error: unknown) => typeof (error as NodeJS.ErrnoException).code === "string";
