import { numbersOf } from "../analysis/index.js";
import type { TestResult } from "../runs/index.js";
import type * as torch from "../torch/index.js";
import type { Member } from "./member.js";

/** Something that is not what the training stored, by more than rounding explains. */
export interface Difference {
  /** "generation 0", "ensemble 0-1", … */
  of: string;
  /** A metric's name, with the place where it is a list ("scoreByRank[1]"); or "logits", for the largest difference. */
  what: string;
  /** Of a metric: the number now, and the one that was stored. */
  now?: number;
  stored?: number;
  difference: number;
  /** What rounding explains. */
  allowed: number;
}

/**
 * How far a mean over images that is computed twice from the same logits may differ: each of N + C additions in float64
 * rounds once, and so do some 16 operations beside them.
 */
function summationError(images: number, classes: number, value: number): number {
  return (images + classes + 16) * 2 ** -52 * Math.max(1, Math.abs(value));
}

/**
 * The metrics whose numbers are not those that were stored. Metrics that only one of both has are passed over.
 *
 * @param allowed how far a number may be off, by its name and value
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
    // JSON has no infinity: what is not finite was stored as null.
    if (old === undefined || (!Number.isFinite(old) && !Number.isFinite(value))) return [];
    const difference = Math.abs(value - old);
    const most = allowed(what, old);
    return difference <= most ? [] : [{ of, what, now: value, stored: old, difference, allowed: most }];
  });
}

/**
 * Evaluates some generations, alone or together, and says which numbers are not those that were stored.
 *
 * @param before the stored numbers, if there are any
 * @param how.evaluate makes numbers of the members' logits
 * @param how.slack says what rounding does to the numbers, for members whose logits were not stored
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
  // Where rounding moved the logits, the numbers are held to the stored ones, which they must be those of to the last digits.
  const rounded = members.every(({ difference, rounding }) => difference <= rounding);
  const moved = members.some(({ difference }) => difference > 0);
  const numbers = rounded && moved ? evaluate(stored) : test;
  const summed = (_: string, value: number) => summationError(images, classes, value);
  return { test, differences: numberDifferences(of, before, numbers, summed) };
}
