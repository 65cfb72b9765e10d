import { hs, wrapOptional } from "./dispatch.js";
import { native } from "./native.js";
import type { Tensor } from "./tensor.js";

function synchronous<T>(name: string, result: T): T {
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new TypeError(
      `torch.${name} takes a synchronous function: its mode ends when the function returns`,
    );
  }
  return result;
}

function withGradMode<T>(name: string, on: boolean, body: () => T): T {
  const before = native.setGradMode(on);
  try {
    return synchronous(name, body());
  } finally {
    native.setGradMode(before);
  }
}

/** Runs `body` without recording gradients. */
export function noGrad<T>(body: () => T): T {
  return withGradMode("noGrad", false, body);
}

/** Runs `body` recording gradients, within {@link noGrad} too. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode("enableGrad", true, body);
}

/** Runs `body` without gradients and version counters; tensors made in it can take part in no later gradient. */
export function inferenceMode<T>(body: () => T): T {
  native.enterInference();
  try {
    return synchronous("inferenceMode", body());
  } finally {
    native.leaveInference();
  }
}

export interface GradOptions {
  /** The gradient that flows into each output, of its shape; ones for scalar outputs when left out. */
  gradOutputs?: readonly Tensor[];
  /** Whether the graph stays for another call. Default as `createGraph`. */
  retainGraph?: boolean;
  /** Whether the gradients are to be differentiable themselves. Default false. */
  createGraph?: boolean;
}

/**
 * The gradients of `outputs` with respect to `inputs`, undefined for an input that had no influence.
 *
 * @throws Error when an output is no scalar and `gradOutputs` is not given, or an input requires no gradient
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  { gradOutputs = [], createGraph = false, retainGraph = createGraph }: GradOptions = {},
): (Tensor | undefined)[] {
  const from = hs(Array.isArray(outputs) ? outputs : [outputs as Tensor]) as number[];
  const to = hs(inputs) as number[];
  return native
    .gradient(from, to, hs(gradOutputs) as number[], retainGraph, createGraph)
    .map((handle) => wrapOptional(handle));
}
