import type { Tensor } from "../torch/index.js";
import { applyEpilogue, type Epilogue } from "./batch-norm2d.js";
import type { Module } from "./module.js";

/**
 * What a watched module took and gave. Either may be written over or freed later: whoever needs it for longer keeps a copy
 * (`torch.keep(output.clone())`).
 */
export interface Seen {
  /** As it was given to `forward`. */
  input: Tensor;
  /** The layer's own result, without a sum or a ReLU that follows it in the same pass over memory. */
  output: Tensor;
}

type Forward = (x: Tensor, epilogue?: Epilogue) => Tensor;

/**
 * Calls `seen` each time that a module of a network is applied, as PyTorch's forward hooks do. While it is watched, the
 * module is computed by itself, and whatever would compute it together with others goes layer by layer: it is no longer one
 * that `nn` knows by its class alone. What the network computes stays the same, but for rounding.
 *
 * @returns stops watching when it is disposed
 */
export function watch(module: Module, seen: (seen: Seen) => void): Disposable {
  const before = Object.getOwnPropertyDescriptor(module, "forward");
  const forward = module.forward as Forward;
  const watched: Forward = (x, epilogue) => {
    const output = forward.call(module, x);
    seen({ input: x, output });
    return epilogue ? applyEpilogue(output, epilogue) : output;
  };
  // Not enumerable, since a module's fields are its content.
  Object.defineProperty(module, "forward", { value: watched, configurable: true, writable: true });
  return {
    [Symbol.dispose]: () => {
      if (before) Object.defineProperty(module, "forward", before);
      else Reflect.deleteProperty(module, "forward");
    },
  };
}
