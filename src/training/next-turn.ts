import { setImmediate } from "node:timers/promises";

/**
 * Lets the event loop turn once. Operators run synchronously, and without this signals and timers would have
 * to wait.
 */
export function nextTurn(): Promise<void> {
  return setImmediate();
}
