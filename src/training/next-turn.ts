import { setImmediate } from "node:timers/promises";

/** Lets the event loop turn once: operators run synchronously, and signals, timers and servers want to live. */
export function nextTurn(): Promise<void> {
  return setImmediate();
}
