/**
 * Lets a limited number of pieces of asynchronous work run at a time; the others wait for their turn, in order.
 *
 * @param most how many may run at once
 * @returns what runs a piece of work and settles as it does
 */
export function limiter(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // Whoever waits takes this place over, so that none can slip in between.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
