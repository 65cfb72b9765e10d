import * as torch from "../torch/index.js";

/** How fast libtorch multiplies matrices on this machine, on all its threads. */
export interface BlasSpeed {
  /** Billions of float32 operations in a second. */
  gflops: number;
  threads: number;
  /**
   * What a person can do about a slow BLAS; undefined when matrices are multiplied as fast as they should be.
   */
  advice: string | undefined;
}

/**
 * The GFLOP/s of one thread below which libtorch probably uses a reference BLAS. Any core made since 2013
 * does ten times as much with a BLAS that uses its vector units, and less with one that does not.
 */
const LEAST_PER_THREAD = 4;
/**
 * The number of threads that a matrix of the size measured can keep busy; more of them are not expected to
 * help.
 */
const MOST_THREADS = 8;

/**
 * Measures float32 matrix multiplication. Debian's libtorch uses a reference BLAS, some 60 times too slow,
 * unless an optimised one is installed.
 *
 * @param size rows and columns of the matrices
 * @param seconds how long to repeat at most; the fastest time counts, since others may be using the machine
 * @param whole whether to repeat for all that time even when the speed is found to be good; by default the
 *   measuring ends as soon as it is, usually after a few milliseconds
 */
export function measureBlas({ size = 320, seconds = 0.1, whole = false } = {}): BlasSpeed {
  const threads = torch.getNumThreads();
  const speed = (milliseconds: number) => (2 * size ** 3) / (milliseconds * 1e6);
  const gflops = torch.scope(() =>
    torch.noGrad(() => {
      const a = torch.ones([size, size]);
      let best = 0;
      const start = performance.now();
      do {
        const before = performance.now();
        a.mm(a).dispose();
        best = Math.max(best, speed(performance.now() - before));
      } while (performance.now() - start < seconds * 1000 && (whole || adviceFor(best, threads)));
      return best;
    }),
  );
  return { gflops, threads, advice: adviceFor(gflops, threads) };
}

/** Says what a person can do about a slow BLAS, or gives undefined when the speed is good enough. */
export function adviceFor(gflops: number, threads: number): string | undefined {
  const least = LEAST_PER_THREAD * Math.min(threads, MOST_THREADS);
  if (gflops >= least) return undefined;
  return (
    `matrix products run at ${gflops.toFixed(1)} GFLOP/s on ${threads} thread${threads === 1 ? "" : "s"}, where ` +
    `${least} is little: libtorch seems to use a reference BLAS, or the machine is very busy. ` +
    "On Debian or Ubuntu: sudo apt-get install libopenblas0-openmp"
  );
}
