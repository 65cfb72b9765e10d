/** Grids of settings, each point of which is an arm of a study. */

/** A point of a grid: an arm's name, and the value of each key. */
export interface GridPoint {
  name: string;
  changes: Record<string, string | number>;
}

/**
 * Makes an arm of each point of a grid: `{ "patriarch.k": [3, 5], "patriarch.primaryScore": [0.7, 0.8] }` makes
 * four, the first of which is called "k=3,primaryScore=0.7".
 */
export function gridArms(grid: Readonly<Record<string, readonly (string | number)[]>>): GridPoint[] {
  let points: Record<string, string | number>[] = [{}];
  for (const [key, values] of Object.entries(grid))
    points = points.flatMap((point) => values.map((value) => ({ ...point, [key]: value })));
  return points.map((changes) => ({ name: nameOf(changes), changes }));
}

/** Names a point by the last word of each key and its value. */
function nameOf(changes: Record<string, string | number>): string {
  return Object.entries(changes)
    .map(([key, value]) => `${key.split(".").at(-1)}=${value}`)
    .join(",");
}

interface GridChecks {
  /** The greatest number of points. */
  most: number;
  /** Makes the error of a mistake at a key below the grid. */
  wrong(keys: readonly string[], message: string): Error;
}

/**
 * Checks a grid before its points are made, which may be more than memory holds.
 *
 * @throws the error that `wrong` makes
 */
export function checkGrid(
  grid: Readonly<Record<string, readonly (string | number)[]>>,
  { most, wrong }: GridChecks,
): void {
  const keys = Object.entries(grid);
  if (keys.length === 0) throw wrong([], "is empty: give values for at least one key, or leave it out");
  for (const [key, values] of keys) {
    const seen = new Set<string>();
    for (const value of values.map(String)) {
      if (seen.has(value)) throw wrong([key], `${value} is given twice: leave the second one out`);
      seen.add(value);
    }
  }
  const points = keys.reduce((product, [, values]) => product * values.length, 1);
  if (points > most)
    throw wrong([], `has ${points} points, and a study has at most ${most} arms: leave values out`);
}
