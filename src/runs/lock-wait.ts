import { setTimeout as wait } from "node:timers/promises";
import { acquireLock, type Lock, LockHeld } from "./lock.js";
import { LockWatch } from "./lock-watch.js";

export interface LockWaitOptions {
  /** Is told once who holds the lock. */
  onWait?: (message: string) => void;
  /** Milliseconds from one try to the next. Default: 1000. */
  everyMs?: number;
}

/** Acquires a lock as soon as nobody else holds it. */
export async function waitForLock(
  path: string,
  { onWait, everyMs = 1000 }: LockWaitOptions = {},
): Promise<Lock> {
  const watch = new LockWatch();
  for (let said = false; ; said = true) {
    try {
      return await acquireLock(path, { watch });
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (!said) onWait?.(error.message);
    }
    await wait(everyMs);
  }
}
