/** The work at one part of a study, and at those that processes have left which ended. */
import type { BegunStudy } from "./run-study.js";
import { type Shard, ShardHold } from "./shards.js";
import type { StudyFolder } from "./study-folder.js";

export interface PartsOptions {
  folder: StudyFolder;
  /** The own part. */
  shard: Shard;
  /** Finds out what is left of a part. */
  begin: (shard: Shard) => Promise<BegunStudy>;
  /**
   * Trains what is left of a part.
   *
   * @returns the failures, by fingerprint
   */
  work: (begun: BegunStudy) => Promise<ReadonlyMap<string, string>>;
  /** Tells whether a part has networks that are not finished. */
  isUnfinished: (shard: Shard) => boolean;
  /** Stops the work, and the waiting for what others do. A part that is not done then is left for others. */
  signal?: AbortSignal | undefined;
  /** Is told that a part of another process is taken up. */
  onTakenUp?: ((shard: Shard) => void) | undefined;
  /** Is told, again and again, what is waited for. */
  onWait?: ((message: string) => void) | undefined;
}

/**
 * Works at a part of a study, and then at every part in the folder that was begun by a process which has ended without finishing
 * it. Parts whose processes are at work are left to them.
 *
 * @returns the failures, by fingerprint
 */
export async function workAtParts(options: PartsOptions): Promise<Map<string, string>> {
  const { folder, shard, begin, work, isUnfinished, signal, onTakenUp, onWait } = options;
  await using hold = await ShardHold.begin(folder, shard);
  const own = await begin(shard);
  const failures = new Map(own.left.length > 0 ? await work(own) : []);
  if (signal?.aborted) return failures;
  await hold.done();
  for (;;) {
    const taken = await hold.takeUp({ isUnfinished, signal, ...(onWait && { onWait }) });
    if (!taken) return failures;
    onTakenUp?.(taken.shard);
    let isDone = false;
    try {
      for (const [fingerprint, message] of await work(await begin(taken.shard)))
        failures.set(fingerprint, message);
      isDone = !signal?.aborted;
    } finally {
      await (isDone ? taken.lock.release() : taken.lock.abandon());
    }
    if (!isDone) return failures;
  }
}
