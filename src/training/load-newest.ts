import { existsSync } from "node:fs";
import { basename } from "node:path";
import { loadCheckpoint, type Position, type Stateful } from "./checkpoint.js";
import { checkpointFiles } from "./write-checkpoint.js";

/** A learner's checkpoint that was found. */
export interface Found {
  path: string;
  position: Position;
  /** What was wrong with the newest one, where it is the one before; for people. */
  note?: string;
}

/**
 * Restores a learner from the newest checkpoint of a folder that is sound.
 *
 * @returns undefined where the folder holds none
 * @throws Error that names the newest file, and what is wrong with it, where none serves
 */
export function loadNewest(folder: string, learner: Stateful): Found | undefined {
  const files = checkpointFiles(folder).filter((path) => existsSync(path));
  let first: Error | undefined;
  for (const path of files) {
    try {
      const position = loadCheckpoint(path, learner);
      return { path, position, ...(first && { note: noteOf(first, path, position) }) };
    } catch (error) {
      first ??= error as Error;
    }
  }
  if (!first) return undefined;
  throw new Error(
    `${first.message}; ${files.length > 1 ? "the one before it does not serve either" : "there is no older one"}: remove ` +
      `${folder} to train this generation from its beginning`,
    { cause: first },
  );
}

function noteOf({ message }: Error, path: string, { epoch, step }: Position): string {
  const place = step > 0 ? `step ${step} after ${epoch} epochs` : `${epoch} epochs`;
  return `${message}; the checkpoint before it, ${basename(path)}, is sound: the training goes on from there, at ${place}`;
}
