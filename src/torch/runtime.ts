/** The library under the tensors: its version, threads and devices. */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { native } from "./native.js";

/** The version of libtorch, such as "1.13.0". */
export function version(): string {
  return native.version();
}

/** libtorch's own account of how it was built. */
export function buildSettings(): string {
  return native.buildSettings();
}

/** How many threads an operator may use. */
export function getNumThreads(): number {
  return native.numThreads();
}

/** @throws TypeError outside 1 … 1024 */
export function setNumThreads(threads: number): void {
  native.setNumThreads(threads);
}

/**
 * Cores, not hardware threads: two threads on one core share its arithmetic units, and training slows down.
 * Never more than this process may run on.
 */
export function physicalCores(): number {
  const available = availableParallelism();
  try {
    const root = "/sys/devices/system/cpu";
    const cores = new Set<string>();
    for (const name of readdirSync(root)) {
      if (/^cpu\d+$/.test(name)) {
        cores.add(readFileSync(`${root}/${name}/topology/thread_siblings_list`, "utf8").trim());
      }
    }
    return Math.max(1, Math.min(cores.size || available, available));
  } catch {
    // Not Linux, or a container that hides the topology.
    return available;
  }
}

/** Live tensors that JavaScript holds, and their bytes. */
export function memoryStats(): { tensors: number; bytes: number } {
  return native.memory();
}

if (!process.env.OMP_NUM_THREADS) native.setNumThreads(physicalCores());
