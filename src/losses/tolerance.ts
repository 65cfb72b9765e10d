/**
 * How tolerant a patriarch is: the primary score wanted (p1*, the probability left to the best class), or
 * the weight of its cross-entropy, from which the primary score follows. `k` as in `topScoreDifference`.
 */
export type Tolerance = { k: number; primaryScore: number } | { k: number; hardWeight: number };

export interface UsefulRange {
  /** Open interval of primary scores (fractions) that a patriarch can be asked for: (1/k, 1). */
  primaryScore: readonly [number, number];
  /** Open interval of the weights that give them: (1/k, k/(2k-1)). */
  hardWeight: readonly [number, number];
}

/**
 * The range in which the patriarch's loss softens the output at all. With a greater hardWeight the loss is least at
 * p1 = 1, which is a strict patriarch that learns slowly; with a smaller one it is least at k equal classes.
 *
 * @throws RangeError when k is not a whole number >= 2
 */
export function usefulRange(k: number): UsefulRange {
  if (!(Number.isInteger(k) && k >= 2)) throw new RangeError(`k must be a whole number >= 2, got ${k}`);
  return { primaryScore: [1 / k, 1], hardWeight: [1 / k, k / (2 * k - 1)] };
}

/**
 * The hardWeight that makes `patriarchLoss` least at the primary score wanted:
 * `eta = k p1 / (k - 1 + k p1)`, from `d/dp1 (eta · -ln p1 + (1 - eta) (k p1 - 1) / (k - 1)) = 0`, the label
 * on top and all score within the top k. A hardWeight that is given instead is checked and returned.
 *
 * @throws RangeError when k is not a whole number >= 2, or outside `usefulRange(k)`; the message names the
 *   range and what to try
 */
export function toleranceToHardWeight(tolerance: Tolerance): number {
  const { k } = tolerance;
  if ("hardWeight" in tolerance) return checkHardWeight(k, tolerance.hardWeight);
  const p = checkPrimaryScore(k, tolerance.primaryScore);
  return (k * p) / (k - 1 + k * p);
}

/**
 * The primary score at which `patriarchLoss` is least, `p1* = eta (k - 1) / ((1 - eta) k)`: the inverse of
 * `toleranceToHardWeight`. A primary score that is given is checked and returned.
 *
 * @throws RangeError as `toleranceToHardWeight`
 */
export function toleranceToPrimaryScore(tolerance: Tolerance): number {
  const { k } = tolerance;
  if ("primaryScore" in tolerance) return checkPrimaryScore(k, tolerance.primaryScore);
  const eta = checkHardWeight(k, tolerance.hardWeight);
  return (eta * (k - 1)) / ((1 - eta) * k);
}

function checkPrimaryScore(k: number, primaryScore: number): number {
  const range = usefulRange(k);
  const [low, high] = range.primaryScore;
  if (primaryScore > low && primaryScore < high) return primaryScore;
  let hint = `try ${example(k).primaryScore}`;
  if (primaryScore === 1) hint = "a patriarch without tolerance is a strict one";
  else if (primaryScore > 1 && primaryScore < 100) {
    hint = `scores are fractions: for ${primaryScore} % write ${round(primaryScore / 100)}`;
  } else if (primaryScore > 0 && primaryScore <= low)
    hint += `, or k of ${Math.floor(1 / primaryScore) + 1} or more`;
  throw new RangeError(
    `primaryScore ${primaryScore} is outside the useful range ${describe(k, range)}; ${hint}`,
  );
}

function checkHardWeight(k: number, hardWeight: number): number {
  const range = usefulRange(k);
  const [low, high] = range.hardWeight;
  if (hardWeight > low && hardWeight < high) return hardWeight;
  const { primaryScore, weight } = example(k);
  let hint = `try ${weight} (primaryScore ${primaryScore})`;
  if (hardWeight >= high && hardWeight <= 1) hint = `so great a weight is as good as strict: ${hint}`;
  else if (hardWeight >= 0 && hardWeight <= low) hint = `so small a weight makes ${k} classes equal: ${hint}`;
  throw new RangeError(`hardWeight ${hardWeight} is outside the useful range ${describe(k, range)}; ${hint}`);
}

function describe(k: number, { primaryScore, hardWeight }: UsefulRange): string {
  const between = ([low, high]: readonly [number, number], name: string) =>
    `${round(low)} < ${name} < ${round(high)}`;
  return `for k = ${k}: ${between(primaryScore, "primaryScore")} (${between(hardWeight, "hardWeight")})`;
}

/** An example for error messages: 0.8 is in the useful range of every k >= 2. */
function example(k: number): { primaryScore: number; weight: number } {
  return { primaryScore: 0.8, weight: round(toleranceToHardWeight({ k, primaryScore: 0.8 })) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
