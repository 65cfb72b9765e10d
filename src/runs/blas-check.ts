import * as torch from "../torch/index.js";

/** How fast libtorch multiplies matrices here, on all its threads. */
export interface BlasSpeed {
  gflops: number;
  threads: number;
  /** What to do about it; undefined when it is as fast as it should be. */
  advice: string | undefined;
}

/** Any core made since 2013 does several times as much with a BLAS that uses its vector units. */
const LEAST_PER_THREAD = 8;

/**
 * Measures float32 matrix multiplication. Debian's libtorch uses a reference BLAS, some 60 times too slow, unless an
 * optimised one is installed.
 *
 * @param size rows and columns; the default takes some milliseconds, a tenth of a second with a reference BLAS
 * @param seconds how long to repeat; the fastest time counts, since others may be using the machine
 */
export function measureBlas({ size = 320, seconds = 0.02 } = {}): BlasSpeed {
  const threads = torch.getNumThreads();
  const best = torch.scope(() =>
    torch.noGrad(() => {
      const a = torch.ones([size, size]);
      let fastest = Number.POSITIVE_INFINITY;
      const start = performance.now();
      // The first product also starts the threads: it only counts when time is up after it.
      do {
        const before = performance.now();
        a.mm(a).dispose();
        fastest = Math.min(fastest, performance.now() - before);
      } while (performance.now() - start < seconds * 1000);
      return fastest;
    }),
  );
  const gflops = (2 * size ** 3) / (best * 1e6);
  return { gflops, threads, advice: adviceFor(gflops, threads) };
}

/** What to do about a speed, or undefined when it will do. */
export function adviceFor(gflops: number, threads: number): string | undefined {
  if (gflops >= LEAST_PER_THREAD * threads) return undefined;
  return (
    `matrix products run at ${gflops.toFixed(1)} GFLOP/s on ${threads} thread${threads === 1 ? "" : "s"}, where ` +
    `${LEAST_PER_THREAD * threads} is little: libtorch seems to use a reference BLAS, or the machine is very busy. ` +
    "On Debian or Ubuntu: sudo apt-get install libopenblas0-openmp"
  );
}
