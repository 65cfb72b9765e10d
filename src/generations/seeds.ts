import { hash32 } from "../data/index.js";

/** What a seed is for; numbers, because they are part of every run's randomness and must never change. */
const purposes = { weights: 1, batches: 2, split: 3 } as const;

/** Separate streams for separate purposes and generations, all decided by the recipe's one seed. */
export function deriveSeed(seed: number, purpose: keyof typeof purposes, generation = 0): number {
  return hash32(seed, purposes[purpose], generation);
}
