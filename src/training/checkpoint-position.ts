import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readSafetensorsMetadata } from "../torch/index.js";

/** How far a network's training has come: the epochs that are done, and the steps of the one after them. */
export interface Reached {
  epoch: number;
  step: number;
}

/**
 * Reads how far the checkpoints in a folder have come, without loading one. Of several the furthest counts.
 *
 * @returns undefined where there is no checkpoint, or none that can be read
 */
export function reachedIn(folder: string): Reached | undefined {
  let furthest: Reached | undefined;
  for (const file of filesIn(folder)) {
    const reached = reachedBy(join(folder, file));
    if (reached && (!furthest || isFurther(reached, furthest))) furthest = reached;
  }
  return furthest;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith(".safetensors"));
  } catch {
    return [];
  }
}

function reachedBy(path: string): Reached | undefined {
  try {
    const { epoch, step } = JSON.parse(readSafetensorsMetadata(path).position ?? "") as Partial<Reached>;
    return Number.isSafeInteger(epoch) && Number.isSafeInteger(step)
      ? { epoch: epoch!, step: step! }
      : undefined;
  } catch {
    return undefined;
  }
}

const isFurther = (one: Reached, other: Reached) =>
  one.epoch > other.epoch || (one.epoch === other.epoch && one.step > other.step);
