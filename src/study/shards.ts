/** The parts of a study ("shards") that processes work at: which networks they have, and who works at which. */
import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { acquireLock, BEAT_SECONDS, type Lock, LockHeld, LockWatch, lookAtLock } from "../runs/index.js";
import type { StudyFolder } from "./study-folder.js";

/** A part of a study: the `shard`-th of `of`, counted from 1. */
export interface Shard {
  shard: number;
  of: number;
}

/** What came of trying to hold a part: its lock, or the error that says who holds it. */
type Tried = Lock | LockHeld;

/** How often it is looked whether a process that may have ended gives a sign of life, in milliseconds. */
const POLL_MS = 2000;

/**
 * A process's hold of its part, in a folder that several share. Each part that was begun has a lock here, which is
 * removed when the part is done. So whoever is done with his own part can tell which others were begun and then left by a process that
 * ended, and take them up. Parts that were never begun here are no concern of his: they may be those of a later job, or lie on
 * another disk.
 */
export class ShardHold implements AsyncDisposable {
  readonly #folder: string;
  readonly #own: Shard;
  readonly #watch: LockWatch;
  readonly #timer: NodeJS.Timeout;
  #lock: Lock | undefined;
  #isDone = false;

  private constructor(folder: string, own: Shard, watch: LockWatch) {
    this.#folder = folder;
    this.#own = own;
    this.#watch = watch;
    // By the time that its own part is done, this process has mostly seen already who else is alive.
    this.#timer = setInterval(() => void this.#look().catch(() => {}), BEAT_SECONDS * 1000);
    this.#timer.unref();
  }

  /** Holds a part, as soon as nobody else does: until then two processes share its networks. */
  static async begin(folder: StudyFolder, own: Shard, watch = new LockWatch()): Promise<ShardHold> {
    const path = join(folder.work, "shards");
    await mkdir(path, { recursive: true });
    const hold = new ShardHold(path, own, watch);
    try {
      await hold.#look();
    } catch (error) {
      clearInterval(hold.#timer);
      throw error;
    }
    return hold;
  }

  /**
   * Takes up a part that a process has left which ended. Where it cannot be told yet whether one has ended, it waits until it can.
   *
   * @param isUnfinished tells whether a part has networks to train
   * @param onWait is told why it waits
   * @returns the part, and what releases it; undefined where none is left, or the signal was aborted
   */
  async takeUp({
    isUnfinished,
    signal,
    onWait,
  }: {
    isUnfinished: (shard: Shard) => boolean;
    signal?: AbortSignal | undefined;
    onWait?: (message: string) => void;
  }): Promise<{ shard: Shard; lock: Lock } | undefined> {
    while (!signal?.aborted) {
      let unsure: string | undefined;
      for (const shard of this.#begun()) {
        if (!isUnfinished(shard)) continue;
        const tried = await this.#try(shard);
        if (!(tried instanceof LockHeld)) return { shard, lock: tried };
        if (!tried.isSure) unsure ??= `part ${nameOf(shard)} may have been left: ${tried.message}`;
      }
      if (unsure === undefined) return undefined;
      onWait?.(unsure);
      await wait(POLL_MS, undefined, signal ? { signal } : {}).catch(() => {});
    }
    return undefined;
  }

  /** Says that the part is done, so that nobody takes it up. */
  async done(): Promise<void> {
    this.#isDone = true;
    await this.#lock?.release();
  }

  /** Ends the hold. A part that is not done is left as by a process that was killed, for others to take up. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#lock?.abandon();
  }

  /** Lists the other parts that were begun in this folder and not done. */
  #begun(): Shard[] {
    const own = nameOf(this.#own);
    return readdirSync(this.#folder)
      .flatMap((file) => {
        const [, shard, of] = /^(\d{1,4})-of-(\d{1,4})\.lock$/.exec(file) ?? [];
        return shard === undefined ? [] : [{ shard: Number(shard), of: Number(of) }];
      })
      .filter((shard) => shard.shard >= 1 && shard.shard <= shard.of && nameOf(shard) !== own)
      .sort((a, b) => a.of - b.of || a.shard - b.shard);
  }

  /** Takes note of who gives signs of life, and holds the own part where that is free by now. */
  async #look(): Promise<void> {
    if (!this.#lock && !this.#isDone) {
      const tried = await this.#try(this.#own);
      if (!(tried instanceof LockHeld)) this.#lock = tried;
    }
    for (const shard of this.#begun()) await lookAtLock(this.#pathOf(shard), this.#watch);
  }

  async #try(shard: Shard): Promise<Tried> {
    try {
      return await acquireLock(this.#pathOf(shard), { watch: this.#watch });
    } catch (error) {
      if (error instanceof LockHeld) return error;
      throw error;
    }
  }

  #pathOf({ shard, of }: Shard): string {
    return join(this.#folder, `${shard}-of-${of}.lock`);
  }
}

/** Names a part for a person. */
export const nameOf = ({ shard, of }: Shard): string => `${shard} of ${of}`;
