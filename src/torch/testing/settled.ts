/** Counts tensors in tests, where earlier tests left theirs to the garbage collector. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { native } from "../native.js";
import { sweep } from "../unscoped.js";

setFlagsFromString("--expose-gc");

/** Runs V8's garbage collector, by default in full. */
export const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;

/** `memoryStats` after every tensor that nobody holds is gone, so that none of them goes while a test counts. */
export function settled(): { tensors: number; bytes: number } {
  // The first sweep only dissolves a group some of whose members live on.
  for (let i = 0; i < 2; i++) {
    collect();
    sweep(true);
  }
  return native.memory();
}
