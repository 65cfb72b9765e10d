import { availableParallelism } from "node:os";
import type { Recipe } from "../recipe/index.js";
import * as torch from "../torch/index.js";

/**
 * The most threads that a training is given: those that this machine runs at the same time, or as many as OMP_NUM_THREADS asks for
 * where these are more. More wait for each other at the end of every loop: a step by 1024 threads on 2 cores takes a hundred times
 * as long. A recipe may still ask for them, since it may have been written for another machine.
 */
export function mostThreads(
  available = availableParallelism(),
  environment: string | undefined = process.env.OMP_NUM_THREADS,
): number {
  return Math.max(available, Number.parseInt(environment ?? "", 10) || 0);
}

/** Sets the threads that a recipe asks for, as far as this machine has them. */
export function useThreads({ threads }: Pick<Recipe, "threads">): void {
  if (threads !== undefined) torch.setNumThreads(Math.min(threads, mostThreads()));
}
