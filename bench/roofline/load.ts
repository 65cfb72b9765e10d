/** The arithmetic and the memory traffic that a work needs at least. */
import type { Layer } from "./layers.js";

export interface Load {
  flops: number;
  bytes: number;
}

/** The layers of a student or patriarch in training, and of a frozen teacher. */
export interface Passes {
  trained: readonly Layer[];
  frozen: readonly Layer[];
  /** Bytes of one activation; a weight has four. */
  activationBytes: number;
}

const weightBytes = 4;
const products = (layers: readonly Layer[]) => layers.filter(({ kind }) => kind === "product");
const total = (layers: readonly Layer[], of: (layer: Layer) => number) =>
  layers.reduce((sum, layer) => sum + of(layer), 0);

/** Forward: each layer reads its input and its weights and writes its output, once. */
export function forwardLoad(layers: readonly Layer[], activationBytes: number): Load {
  const activations = total(layers, ({ input, output }) => input + output);
  return {
    flops: total(layers, ({ flops }) => flops),
    bytes: activations * activationBytes + total(layers, ({ weights }) => weights) * weightBytes,
  };
}

/**
 * Backward: each layer reads its input again and its output's gradient, and writes its input's gradient and that of its
 * weights. Each of the two products costs as much as the forward's. The first layer's input is the images, which need no
 * gradient.
 */
export function backwardLoad(layers: readonly Layer[], activationBytes: number): Load {
  const first = products(layers)[0];
  const activations = total(layers, ({ input, output }) => 2 * input + output) - (first?.input ?? 0);
  return {
    flops: 2 * total(layers, ({ flops }) => flops) - (first?.flops ?? 0),
    bytes: activations * activationBytes + 2 * total(layers, ({ weights }) => weights) * weightBytes,
  };
}

/** The update: SGD with momentum reads weight, gradient and velocity, and writes weight and velocity. */
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
