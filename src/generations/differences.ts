import { numbersOf } from "../analysis/index.js";
import type { TestResult } from "../runs/index.js";
import type * as torch from "../torch/index.js";
import type { Member } from "./member.js";

/** A number that differs from the one that the training stored, by more than rounding explains. */
export interface Difference {
  /** The network or the ensemble whose number it is: "generation 0", "ensemble 0-1", … */
  of: string;
  /** The name of the metric, with the index where it is a list ("scoreByRank[1]"), or "logits". */
  what: string;
  /** The value of the metric now; left out for logits. */
  now?: number;
  /** The value of the metric that was stored; left out for logits. */
  stored?: number;
  /** The absolute difference; for logits, the largest one. */
  difference: number;
  /** The largest difference that rounding explains. */
  allowed: number;
}

/**
 * Bounds how far a mean over images may differ that is computed twice from the same logits: each of N + C
 * additions in float64 rounds once, and so do some 16 operations beside them.
 */
function summationError(images: number, classes: number, value: number): number {
  return (images + classes + 16) * 2 ** -52 * Math.max(1, Math.abs(value));
}

/**
 * Finds the numbers that are not the stored ones. Metrics that only one of the two results has are ignored.
 *
 * @param allowed gives how far a number may be off, by its name and its stored value
 */
function numberDifferences(
  of: string,
  stored: TestResult,
  now: TestResult,
  allowed: (name: string, value: number) => number,
): Difference[] {
  const before = numbersOf(stored);
  return [...numbersOf(now)].flatMap(([what, value]) => {
    const old = before.get(what);
    // JSON has neither NaN nor infinity, and stores both as null: such numbers cannot be told apart.
    if (old === undefined || (!Number.isFinite(old) && !Number.isFinite(value))) return [];
    const difference = Math.abs(value - old);
    const most = allowed(what, old);
    return difference <= most ? [] : [{ of, what, now: value, stored: old, difference, allowed: most }];
  });
}

/**
 * Evaluates one generation, or several as an ensemble, and finds the numbers that are not the stored ones.
 *
 * @param of what the generation or the ensemble is called in the differences
 * @param before the stored numbers, if there are any
 * @param how.evaluate computes the metrics from the members' logits
 * @param how.slack gives how far rounding may move each number, for members whose logits were not stored
 */
export function compare(
  of: string,
  before: TestResult | undefined,
  members: readonly Member[],
  { evaluate, slack }: { evaluate(logits: torch.Tensor[]): TestResult; slack(): Map<string, number> },
): { test: TestResult; differences: Difference[] } {
  const now = members.map((member) => member.now);
  const test = evaluate(now);
  if (!before) return { test, differences: [] };

  const stored = members.flatMap((member) => member.stored ?? []);
  if (stored.length < members.length) {
    const allowed = slack();
    return { test, differences: numberDifferences(of, before, test, (name) => allowed.get(name) ?? 0) };
  }
  const [images, classes] = now[0]!.shape as [number, number];
  // Where rounding has moved the logits, the stored numbers are compared with those that the stored logits
  // give: these are the same but for the order of sums.
  const rounded = members.every(({ difference, rounding }) => difference <= rounding);
  const moved = members.some(({ difference }) => difference > 0);
  const numbers = rounded && moved ? evaluate(stored) : test;
  const summed = (_: string, value: number) => summationError(images, classes, value);
  return { test, differences: numberDifferences(of, before, numbers, summed) };
}
