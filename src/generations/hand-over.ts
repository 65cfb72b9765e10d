/** Something in the making, which is freed on every way out but the one on which it is handed on. */
export interface HandOver<T> extends Disposable {
  /** Hands it on: it is the caller's to free from then on. */
  keep(): T;
}

/** `using made = handOver(network)`, and at the end `return made.keep()`. */
export function handOver<T extends { dispose(): void }>(value: T): HandOver<T> {
  let kept = false;
  return {
    keep: () => {
      kept = true;
      return value;
    },
    [Symbol.dispose]: () => {
      if (!kept) value.dispose();
    },
  };
}
