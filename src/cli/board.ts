import { join } from "node:path";
import { type Recipe, recipeToYaml } from "../recipe/index.js";
import type { RunBoard } from "../report/index.js";
import type { ProgressEvent } from "../runs/types.js";

type Listener = (event: ProgressEvent) => void;

/**
 * Makes a listener that also writes events for TensorBoard into the run's folder, as they come. A disk that fails does not end
 * the training: it is told once, and no more events are written.
 *
 * @param tell hears of all events, and of a failure
 */
export async function withBoard(tell: Listener, directory: string, recipe: Recipe): Promise<Listener> {
  // Loaded before the training: a listener cannot wait.
  const { RunBoard } = await import("../report/index.js");
  let board: RunBoard | undefined;
  let hasFailed = false;
  let generation = 0;
  const write: Listener = (event) => {
    if (event.type === "generation-start") generation = event.generation;
    if (event.type !== "epoch" && event.type !== "generation-end") return;
    board ??= new RunBoard(join(directory, "tensorboard"), recipe, { yaml: recipeToYaml(recipe) });
    if (event.type === "epoch") board.epoch(event.record);
    else board.generation(event.result, { step: event.result.epochs ?? recipe.epochs });
  };
  return (event) => {
    tell(event);
    if (hasFailed) return;
    try {
      write(event);
    } catch (error) {
      hasFailed = true;
      const message = `warning: no more events for TensorBoard are written: ${(error as Error).message}`;
      tell({ type: "note", generation, message });
    }
  };
}
