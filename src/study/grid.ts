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
