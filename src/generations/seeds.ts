import { hash32 } from "../data/index.js";

/**
 * A number for each purpose of a seed. They must never change, since the random numbers of every run follow
 * from them.
 */
const purposes = { weights: 1, batches: 2, split: 3, peers: 4 } as const;

/**
 * Derives a seed from the recipe's one, so that each purpose and each generation has random numbers of its
 * own.
 *
 * @param further tells apart what has one purpose in one generation
 */
export function deriveSeed(
  seed: number,
  purpose: keyof typeof purposes,
  generation = 0,
  ...further: number[]
): number {
  return hash32(seed, purposes[purpose], generation, ...further);
}
