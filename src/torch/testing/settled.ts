/** Counting tensors in tests, where earlier tests left theirs to the garbage collector. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sweep } from "../loose.js";
import { native } from "../native.js";

setFlagsFromString("--expose-gc");

/** Runs V8's garbage collector, by default in full. */
export const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;

/** `memoryStats` when all that nobody holds is gone, so that none of it goes while a test counts. */
export function settled(): { tensors: number; bytes: number } {
  // At first a litter of which any lives on is only broken up.
  for (let i = 0; i < 2; i++) {
    collect();
    sweep(true);
  }
  return native.memory();
}
