/** The mean of some values, and how far they are apart. */
export interface Spread {
  mean: number;
  /** The standard deviation of a sample (with n - 1); undefined for a single value. */
  deviation: number | undefined;
}

/** @param values one or more */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : undefined };
}

/**
 * The spread of the differences of two lists, draw by draw: both were measured on the same images, whose luck cancels.
 *
 * @throws RangeError when the lists differ in length
 */
export function pairedSpread(a: readonly number[], b: readonly number[]): Spread {
  if (a.length !== b.length) throw new RangeError(`${a.length} draws cannot be paired with ${b.length}`);
  return spreadOf(a.map((value, i) => value - b[i]!));
}
