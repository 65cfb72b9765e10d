/**
 * Tensors outside any scope. Each lives until the garbage collector has taken its object; the sweep that then frees its
 * memory is run by those who make more of them.
 */
import { native } from "./native.js";

let held = 0;

/** Leaves a tensor to the garbage collector. */
export function leave(tensor: { handle: number }): void {
  if (native.leaveToCollector(tensor.handle, tensor) && held === 0) native.sweep(false);
}

/**
 * Runs `read`, which takes handles out of tensors. An array's getter may make tensors there, and a sweep would free those
 * of which only the handle is left.
 */
export function withoutSweeping<T>(read: () => T): T {
  held++;
  try {
    return read();
  } finally {
    held--;
  }
}

// Should nobody make any more: the collection of a worthless object says that it is time to look.
const collections = new FinalizationRegistry<undefined>(() => {
  native.sweep(true);
  awaitCollection();
});

function awaitCollection(): void {
  collections.register({}, undefined);
}

awaitCollection();
