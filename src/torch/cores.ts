import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * Counts the processor's cores, not its hardware threads: two threads on one core share its arithmetic units, and
 * training slows down.
 *
 * @returns 1 or more, and never more than this process may run on
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
    // This is not Linux, or a container that hides the topology.
    return available;
  }
}
