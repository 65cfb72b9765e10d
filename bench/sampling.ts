/** Repeated measurements of several sides in turns, so that changes in the machine's load meet all of them alike. */
import { setTimeout as sleep } from "node:timers/promises";

/** The median of some samples, and the quartiles, between which their middle half lies. */
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
 * Runs every side once a round, in an order that is reversed every other round, and collects each side's samples. One round
 * more is run first, to warm up, and is not counted.
 */
export async function interleave(rounds: number, sides: readonly Side[]): Promise<number[][]> {
  const samples: number[][] = sides.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    const order = [...sides.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      // The other side's worker threads spin for a moment after their last loop, and would disturb this side.
      await sleep(20);
      const taken = await sides[index]!();
      if (round > 0) samples[index]!.push(...taken);
    }
  }
  return samples;
}

/**
 * How often to measure something, so that a row of the table takes less than a minute when `quick`, and a few minutes
 * otherwise.
 *
 * @param seconds that one step takes
 */
export function plan(
  seconds: number,
  quick: boolean,
  mostPerTurn = quick ? 2 : 4,
): { rounds: number; perTurn: number } {
  const [mostRounds, budget] = quick ? [3, 10] : [12, 60];
  const perTurn = Math.min(mostPerTurn, Math.max(1, Math.floor(1 / seconds)));
  // One round is left for warming up.
  const rounds = Math.floor(budget / (perTurn * seconds)) - 1;
  return { rounds: Math.min(mostRounds, Math.max(2, rounds)), perTurn };
}
