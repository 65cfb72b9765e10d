import { setImmediate } from "node:timers/promises";
import * as torch from "../torch/index.js";

/** A function's value at a point, and its gradient there, of the point's shape. */
export interface Value {
  value: number;
  gradient: torch.Tensor;
}

export interface LbfgsOptions {
  /** The search ends where no part of the gradient is further from 0 than this. */
  tolerance: number;
  /** The search also ends after so many steps. Default: 1000. */
  maxSteps?: number;
  signal?: AbortSignal | undefined;
}

/** How many earlier steps the curvature is estimated of. */
const MEMORY = 10;

/** A line search that takes more tries than this has reached the rounding of the values. */
const MAX_TRIES = 30;

/** Decrease and curvature that a step must bring (Nocedal and Wright 2006, section 3.1). */
const DECREASE = 1e-4;
const CURVATURE = 0.9;

const dot = (a: torch.Tensor, b: torch.Tensor) => torch.scope(() => a.mul(b).sum().item());

/** A step that was taken, and what it changed in the gradient. */
interface Pair {
  step: torch.Tensor;
  change: torch.Tensor;
  product: number;
}

/**
 * Finds the minimum of a smooth convex function by L-BFGS (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithm 7.5), with
 * a line search by bisection that ends where the weak Wolfe conditions hold (Lewis and Overton 2013). The event loop turns
 * between steps.
 *
 * @param start float64 of any shape; it stays as it is
 * @param evaluate is called in a `torch.scope` of its own
 * @returns the point, of the shape of `start`, which belongs to the caller
 * @throws Error when the value at the start is not finite; the signal's reason when it is aborted
 */
export async function minimise(
  start: torch.Tensor,
  evaluate: (point: torch.Tensor) => Value,
  { tolerance, maxSteps = 1000, signal }: LbfgsOptions,
): Promise<torch.Tensor> {
  const at = (point: torch.Tensor) => {
    const found = torch.scope(() => torch.noGrad(() => evaluate(point)));
    torch.keep(found.gradient);
    return { point, ...found };
  };
  let here = at(torch.keep(start.clone()));
  const pairs: Pair[] = [];
  const drop = ({ point, gradient }: typeof here) => {
    point.dispose();
    gradient.dispose();
  };
  const forget = (pair: Pair | undefined) => {
    pair?.step.dispose();
    pair?.change.dispose();
  };
  try {
    if (!Number.isFinite(here.value)) throw new Error("minimise: the value at the start is not finite");
    for (let n = 0; n < maxSteps && largest(here.gradient) > tolerance; n++) {
      using direction = torch.keep(directionOf(here.gradient, pairs));
      const slope = dot(here.gradient, direction);
      const next = searchLine(here, direction, slope, at, drop);
      if (!next) break;
      const pair = torch.scope(() => ({
        step: next.point.sub(here.point),
        change: next.gradient.sub(here.gradient),
      }));
      const product = dot(pair.step, pair.change);
      torch.keep(pair.step);
      torch.keep(pair.change);
      if (product > 0) pairs.push({ ...pair, product });
      else forget({ ...pair, product });
      if (pairs.length > MEMORY) forget(pairs.shift());
      drop(here);
      here = next;
      await setImmediate();
      signal?.throwIfAborted();
    }
    return here.point.clone();
  } finally {
    drop(here);
    for (const pair of pairs) forget(pair);
  }
}

const largest = (gradient: torch.Tensor) => torch.scope(() => gradient.abs().max().item());

/** The direction in which to search: the gradient times an estimate of the inverse Hessian, downwards. */
function directionOf(gradient: torch.Tensor, pairs: readonly Pair[]): torch.Tensor {
  return torch.scope(() => {
    const direction = gradient.neg();
    const factors = new Map<Pair, number>();
    for (const pair of pairs.toReversed()) {
      const factor = dot(pair.step, direction) / pair.product;
      direction.sub_(pair.change, { alpha: factor });
      factors.set(pair, factor);
    }
    const last = pairs.at(-1);
    // The first step must not be longer than the gradient's own scale allows.
    direction.mul_(
      last ? last.product / dot(last.change, last.change) : 1 / Math.sqrt(dot(gradient, gradient)),
    );
    for (const pair of pairs) {
      const back = dot(pair.change, direction) / pair.product;
      direction.add_(pair.step, { alpha: factors.get(pair)! - back });
    }
    return direction;
  });
}

/** Finds a point along a direction that is low enough and not too near; undefined where rounding hides it. */
function searchLine<At extends Value & { point: torch.Tensor }>(
  here: At,
  direction: torch.Tensor,
  slope: number,
  at: (point: torch.Tensor) => At,
  drop: (point: At) => void,
): At | undefined {
  let [near, far, length] = [0, Number.POSITIVE_INFINITY, 1];
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const next = at(torch.keep(torch.scope(() => here.point.add(direction, { alpha: length }))));
    if (!(next.value <= here.value + DECREASE * length * slope)) far = length;
    else if (dot(next.gradient, direction) < CURVATURE * slope) near = length;
    else return next;
    drop(next);
    length = far === Number.POSITIVE_INFINITY ? 2 * near : (near + far) / 2;
  }
  return undefined;
}
