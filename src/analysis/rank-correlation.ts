/**
 * Computes Spearman's rank correlation of two lists of numbers: the correlation of their ranks, where equal
 * numbers share the mean of the ranks that they take up (Spearman 1904; ties as Kendall 1945).
 *
 * @param a at least one finite or infinite number
 * @param b as many
 * @returns a number in [-1, 1]; 0 where all numbers of a list are equal, since it then has no order
 * @throws TypeError when the lists differ in length
 */
export function rankCorrelation(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length)
    throw new TypeError(`a rank correlation needs lists of one length, got ${a.length} and ${b.length}`);
  const [left, right] = [meanRanks(a), meanRanks(b)];
  // The mean of the ranks 1 … n is (n + 1) / 2, with ties as without.
  const mean = (a.length + 1) / 2;
  let [product, leftSquare, rightSquare] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [left[i]! - mean, right[i]! - mean];
    product += x * y;
    leftSquare += x * x;
    rightSquare += y * y;
  }
  // Ranks are multiples of 1/2, so that these sums are exact.
  return leftSquare === 0 || rightSquare === 0 ? 0 : product / Math.sqrt(leftSquare * rightSquare);
}

/** Gives the rank of each number, from 1 for the least; equal numbers share the mean of their ranks. */
function meanRanks(values: Float64Array): Float64Array {
  const sorted = values.slice().sort();
  return values.map((value) => {
    const below = countBelow(sorted, value);
    let equal = 1;
    while (sorted[below + equal] === value) equal++;
    return below + (equal + 1) / 2;
  });
}

/** Counts the numbers of a sorted list that are less than a value, by bisection. */
function countBelow(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
