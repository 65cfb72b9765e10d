/** What a work asks of the machine at least. */
import type { Layer } from "./layers.js";

export interface Load {
  flops: number;
  bytes: number;
}

/** A student's or patriarch's layers in training, and a teacher's when it is frozen. */
export interface Passes {
  trained: readonly Layer[];
  frozen: readonly Layer[];
  /** Of one activation; weights have four. */
  activationBytes: number;
}

const weightBytes = 4;
const products = (layers: readonly Layer[]) => layers.filter(({ kind }) => kind === "product");
const total = (layers: readonly Layer[], of: (layer: Layer) => number) =>
  layers.reduce((sum, layer) => sum + of(layer), 0);

/** Each layer reads its input and its weights and writes its output, once. */
export function forwardLoad(layers: readonly Layer[], activationBytes: number): Load {
  const activations = total(layers, ({ input, output }) => input + output);
  return {
    flops: total(layers, ({ flops }) => flops),
    bytes: activations * activationBytes + total(layers, ({ weights }) => weights) * weightBytes,
  };
}

/**
 * Each layer reads its input again and its output's gradient, writes its input's gradient and that of its weights. Two
 * products as dear as the forward's; the first layer's input is the images, whose gradient nobody wants.
 */
export function backwardLoad(layers: readonly Layer[], activationBytes: number): Load {
  const first = products(layers)[0];
  const activations = total(layers, ({ input, output }) => 2 * input + output) - (first?.input ?? 0);
  return {
    flops: 2 * total(layers, ({ flops }) => flops) - (first?.flops ?? 0),
    bytes: activations * activationBytes + 2 * total(layers, ({ weights }) => weights) * weightBytes,
  };
}

/** SGD with momentum reads weight, gradient and velocity and writes weight and velocity. */
export function updateLoad(layers: readonly Layer[]): Load {
  const weights = total(layers, (layer) => layer.weights);
  return { flops: 0, bytes: 5 * weights * weightBytes };
}

export function sumLoads(...loads: Load[]): Load {
  return loads.reduce((sum, { flops, bytes }) => ({ flops: sum.flops + flops, bytes: sum.bytes + bytes }));
}

export function scaleLoad({ flops, bytes }: Load, by: number): Load {
  return { flops: flops * by, bytes: bytes * by };
}

export function patriarchLoad({ trained, activationBytes }: Passes): Load {
  const passes = [forwardLoad(trained, activationBytes), backwardLoad(trained, activationBytes)];
  return sumLoads(...passes, updateLoad(trained));
}

export function teacherLoad({ frozen, activationBytes }: Passes): Load {
  return forwardLoad(frozen, activationBytes);
}

export function studentLoad(passes: Passes): Load {
  return sumLoads(teacherLoad(passes), patriarchLoad(passes));
}
