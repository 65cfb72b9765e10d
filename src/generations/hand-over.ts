/** A value that is disposed of at the end of its scope, unless it was handed over to the caller by `keep`. */
export interface HandOver<T> extends Disposable {
  /** Gives the value, which the caller disposes of from then on. */
  keep(): T;
}

/**
 * Guards a value that a function makes and returns, so that it is disposed of when the function throws: it
 * begins with `using made = handOver(network)` and ends with `return made.keep()`.
 */
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
