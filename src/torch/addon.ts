/** Finds and loads the native addon, and sets libtorch up before its first use. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { physicalCores } from "./cores.js";
import type { Native } from "./native.js";

/** Where the addon is: `$LYCEUM_NATIVE`, else what `setup` built in the package's folder. */
export function nativePath(): string {
  // The same relative path from src/torch and from dist/chunks (bundle.mjs).
  return (
    process.env.LYCEUM_NATIVE ?? fileURLToPath(new URL("../../build/native/lyceum.node", import.meta.url))
  );
}

/**
 * OpenMP's threads wait for each other at the end of every loop. By default GNU's spin for milliseconds, and when
 * another program takes one core away, the other spins in vain: a step then takes ten times as long. Spinning briefly
 * and then sleeping costs little when the machine is quiet. The OpenMP runtime reads the variable when the addon brings
 * the runtime into the process.
 */
function waitPatiently(): void {
  if (!process.env.OMP_WAIT_POLICY) process.env.GOMP_SPINCOUNT ??= "3000";
}

/**
 * Asks for a thread for each core, unless the environment says otherwise. This goes by the environment, since libtorch
 * starts a second pool of threads when it is told later, which spin against the first for milliseconds.
 *
 * @returns how many threads are wanted, undefined where the environment decides; a worker thread has an environment of
 *   its own, whose settings do not reach libtorch
 */
function chooseThreads(): number | undefined {
  if (process.env.OMP_NUM_THREADS) return undefined;
  const threads = physicalCores();
  process.env.OMP_NUM_THREADS = String(threads);
  return threads;
}

function load(path: string): Native {
  waitPatiently();
  const threads = chooseThreads();
  try {
    const addon = createRequire(import.meta.url)(path) as Native;
    if (threads !== undefined) addon.setNumThreads(threads);
    // Both must come before the first tensor is made.
    addon.keepLargeBlocks();
    // With LYCEUM_SMALL_BLOCKS=0 small blocks are malloc's, whose checks and tools find writes past a block's end.
    if (process.env.LYCEUM_SMALL_BLOCKS !== "0") addon.keepSmallBlocks();
    return addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // The addon itself says what is wrong with the variable: building it again would not help.
    if (reason.includes("LYCEUM_ISA")) throw cause;
    throw new Error(
      `${path} cannot be loaded (${reason}): run ./setup again (npx lyceum setup in a project), which builds for the libtorch at hand`,
      { cause },
    );
  }
}

let outcome: { addon: Native } | { error: unknown } | undefined;

/**
 * The addon, loaded at the first call.
 *
 * @throws Error when the file does not exist; the next call looks again. Error when it cannot be loaded: what a failed
 *   load leaves in the process cannot be undone, so every later call throws the same error without another try.
 */
export function loadAddon(): Native {
  if (!outcome) {
    const path = nativePath();
    if (!existsSync(path)) {
      throw new Error(
        `${path} does not exist: run ./setup (npx lyceum setup in a project), which builds it, or let LYCEUM_NATIVE name the built file`,
      );
    }
    try {
      outcome = { addon: load(path) };
    } catch (error) {
      outcome = { error };
    }
  }
  if ("error" in outcome) throw outcome.error;
  return outcome.addon;
}
