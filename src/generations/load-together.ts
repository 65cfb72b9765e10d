import { basename, join } from "node:path";
import { type Found, type Learner, loadCheckpoint, loadNewest } from "../training/index.js";

/**
 * Restores a learner from the newest checkpoint of a folder that is sound. Where several processes train together, the first
 * one chooses it, and all read the same.
 *
 * @returns undefined where the folder holds none
 * @throws Error that names the newest file where none serves, or the one that this process cannot read
 */
export async function loadTogether(folder: string, learner: Learner): Promise<Found | undefined> {
  const { ranks } = learner;
  if (!ranks) return loadNewest(folder, learner);
  const found = await ranks.decide("checkpoint", () => loadNewest(folder, learner) ?? null);
  if (found && !ranks.isFirst) {
    const path = join(folder, basename(found.path));
    try {
      loadCheckpoint(path, learner);
    } catch (cause) {
      throw new Error(
        `rank ${ranks.rank}: ${(cause as Error).message}, but rank 0 reads it: the run's folder must be on a file system that all ` +
          "processes share",
        { cause },
      );
    }
  }
  return found ?? undefined;
}
