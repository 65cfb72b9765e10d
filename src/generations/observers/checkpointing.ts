import type { TrainingObserver } from "../../training/index.js";
import { type Learner, type Position, saveCheckpoint } from "../../training/index.js";

/**
 * Makes an observer that replaces a generation's checkpoint after each epoch, and when the training is
 * stopped within one.
 *
 * @param elapsedSeconds gives the seconds that the generation has taken so far, summed over all processes
 */
export function checkpointing(
  path: string,
  learner: Learner,
  elapsedSeconds: () => number,
): TrainingObserver {
  const save = (position: Position) =>
    saveCheckpoint(path, learner, { ...position, elapsedSeconds: elapsedSeconds() });
  return { onEpoch: (_, next) => save(next), onStop: save };
}
