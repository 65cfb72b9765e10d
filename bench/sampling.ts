/** Repeated measurements of two sides, taken in turns so that both meet the same moods of the machine. */
import { setTimeout as sleep } from "node:timers/promises";

/** Middle half of the samples. */
export interface Spread {
  lower: number;
  median: number;
  upper: number;
}

export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (fraction: number): number => {
    const position = (sorted.length - 1) * fraction;
    const below = sorted[Math.floor(position)]!;
    return below + (sorted[Math.ceil(position)]! - below) * (position % 1);
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
}

type Side = () => Promise<number[]> | number[];

/**
 * Runs every side once a round, in an order that turns round each time, and pools each side's samples. The first
 * round warms up and is not counted.
 */
export async function interleave(rounds: number, sides: readonly Side[]): Promise<number[][]> {
  const samples: number[][] = sides.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    const order = [...sides.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      // The other side's worker threads spin for a moment after their last job.
      await sleep(20);
      const taken = await sides[index]!();
      if (round > 0) samples[index]!.push(...taken);
    }
  }
  return samples;
}

/**
 * How often to measure what takes so many seconds, so that one row is done in under a minute for a look, and in a few
 * minutes otherwise.
 */
export function plan(
  seconds: number,
  quick: boolean,
  mostPerTurn = quick ? 2 : 4,
): { rounds: number; perTurn: number } {
  const [mostRounds, budget] = quick ? [3, 10] : [12, 60];
  const perTurn = Math.min(mostPerTurn, Math.max(1, Math.floor(1 / seconds)));
  // One round more warms up.
  const rounds = Math.floor(budget / (perTurn * seconds)) - 1;
  return { rounds: Math.min(mostRounds, Math.max(2, rounds)), perTurn };
}
