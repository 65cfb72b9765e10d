/** The logits of a network for N images, row-major: `values[n * classes + c]`. */
export interface Logits {
  values: Float32Array | Float64Array;
  classes: number;
}

/** A tensor [N, C] of any float dtype and device, described by the two of its members that are used here. */
interface LogitsTensor {
  readonly shape: readonly number[];
  toTypedArray(): unknown;
}

/** Logits as a tensor [N, C] or as plain values. */
export type LogitsLike = Logits | LogitsTensor;

/**
 * Reads logits as a plain array, which is a copy where a tensor is given.
 *
 * @param name the name of the logits in errors
 * @throws TypeError when they are not [N, C] with N >= 1 and C >= 2, in floats
 */
export function readLogits(logits: LogitsLike, name = "logits"): Logits {
  const tensor = "shape" in logits;
  if (tensor && (logits.shape.length !== 2 || logits.shape[0] === 0 || logits.shape[1]! < 2)) {
    throw new TypeError(`${name} must be [N, C] with N >= 1, C >= 2, got [${logits.shape.join(", ")}]`);
  }
  const values = tensor ? logits.toTypedArray() : logits.values;
  const classes = tensor ? logits.shape[1]! : logits.classes;
  if (!(values instanceof Float32Array || values instanceof Float64Array)) {
    throw new TypeError(`${name} must be floating point`);
  }
  if (!(classes >= 2 && values.length > 0 && values.length % classes === 0)) {
    throw new TypeError(`${name}: ${values.length} values are not rows of ${classes} classes (at least 2)`);
  }
  return { values, classes };
}

/**
 * Checks that two networks' logits are for as many images and classes.
 *
 * @param names what both are called in the error
 * @throws TypeError when they are not
 */
export function checkAlike(a: Logits, b: Logits, names: string): void {
  if (a.classes !== b.classes || a.values.length !== b.values.length) {
    throw new TypeError(`${names} differ in shape: ${show(a)} and ${show(b)}`);
  }
}

function show({ values, classes }: Logits): string {
  return `[${values.length / classes}, ${classes}]`;
}

/**
 * Gives the class that a network predicts for image `row`: the one with the largest logit, of equals the
 * lowest.
 */
export function argmax({ values, classes }: Logits, row: number): number {
  const start = row * classes;
  let best = start;
  for (let i = start + 1; i < start + classes; i++) if (values[i]! > values[best]!) best = i;
  return best - start;
}

/**
 * Writes the softmax of a row into `scores` in float64 and returns its normaliser: the log-probability of
 * class c is `logit - normaliser`, which is finite even where the probability is 0.
 *
 * @throws RangeError when the row has no softmax (NaN, infinity)
 */
export function softmaxRow({ values, classes }: Logits, row: number, scores: Float64Array): number {
  const start = row * classes;
  let top = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) if (values[start + c]! > top) top = values[start + c]!;
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    scores[c] = Math.exp(values[start + c]! - top);
    sum += scores[c]!;
  }
  // The sum is NaN where the row holds NaN, where its top is infinite and where all of it is -Infinity.
  if (!(sum >= 1)) throw new RangeError(`row ${row} of the logits has no softmax (NaN or infinite logits)`);
  for (let c = 0; c < classes; c++) scores[c]! /= sum;
  return top + Math.log(sum);
}
