import type { StudyResult } from "../../study/index.js";

/** An option that a search varies: its key in the recipe, and its values in order. */
export interface GridOption {
  name: string;
  values: string[];
}

/** Two options, and the arms that stand for pairs of their values. */
export interface Grid {
  x: GridOption;
  y: GridOption;
  arms: { arm: string; x: string; y: string }[];
}

/**
 * Finds the grid of two options that a search's arms form. Where it varies more of them, or fewer, there is none.
 */
export function gridOf({ arms }: Pick<StudyResult, "arms">): Grid | undefined {
  const placed = arms.flatMap(({ name, at }) => (at ? [{ name, at }] : []));
  const keys = [...new Set(placed.flatMap(({ at }) => Object.keys(at)))].filter(
    (key) => new Set(placed.map(({ at }) => at[key])).size > 1,
  );
  const [x, y, ...more] = keys;
  if (x === undefined || y === undefined || more.length > 0) return undefined;
  const valuesOf = (key: string) => inOrder([...new Set(placed.map(({ at }) => String(at[key])))]);
  return {
    x: { name: x, values: valuesOf(x) },
    y: { name: y, values: valuesOf(y) },
    arms: placed.map(({ name, at }) => ({ arm: name, x: String(at[x]), y: String(at[y]) })),
  };
}

/** Sorts values by size where all are numbers, and leaves them as they are otherwise. */
function inOrder(values: string[]): string[] {
  return values.every((value) => Number.isFinite(Number(value)))
    ? values.sort((a, b) => Number(a) - Number(b))
    : values;
}
