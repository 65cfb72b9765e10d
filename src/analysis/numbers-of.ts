/**
 * Splits an evaluation into single numbers by name: a list `scoreByRank` becomes `scoreByRank[0]`,
 * `scoreByRank[1]`, …. Metrics without a value are left out.
 */
export function numbersOf(
  evaluation: Readonly<Record<string, number | readonly number[] | undefined>>,
): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, value] of Object.entries(evaluation)) {
    if (typeof value === "number") numbers.set(name, value);
    else for (const [i, one] of value?.entries() ?? []) numbers.set(`${name}[${i}]`, one);
  }
  return numbers;
}

/** Gives the name of the metric that a number in `numbersOf` belongs to. */
export function metricOf(number: string): string {
  return number.replace(/\[\d+\]$/, "");
}
