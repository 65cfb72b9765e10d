/** Compares a work with what the machine allows (Williams, Waterman, Patterson, "Roofline", 2009). */
import type { Load } from "./load.js";

/** The most that the machine can do with the number of threads that is measured. */
export interface Peak {
  flopsPerSecond: number;
  bytesPerSecond: number;
}

export interface Roofline extends Load {
  work: string;
  model: string;
  /** The least time that arithmetic and memory traffic take, whichever is longer. */
  allowedSeconds: number;
  seconds: number;
  bound: "arithmetic" | "memory";
  /** `allowedSeconds` divided by `seconds`. */
  share: number;
}

export function roofline(
  which: { work: string; model: string },
  { flops, bytes }: Load,
  { flopsPerSecond, bytesPerSecond }: Peak,
  seconds: number,
): Roofline {
  const [arithmetic, memory] = [flops / flopsPerSecond, bytes / bytesPerSecond];
  const bound = arithmetic >= memory ? "arithmetic" : "memory";
  const allowedSeconds = Math.max(arithmetic, memory);
  return { ...which, flops, bytes, allowedSeconds, seconds, bound, share: allowedSeconds / seconds };
}

export function rooflineLine({ work, model, flops, bytes, ...times }: Roofline): string {
  const ms = (seconds: number) => `${(seconds * 1000).toFixed(1)} ms`;
  return (
    `${work} ${model}: ${(flops / 1e9).toFixed(1)} GFLOP, ${(bytes / 1e9).toFixed(2)} GB at least; ` +
    `${times.bound} allows ${ms(times.allowedSeconds)}, taken ${ms(times.seconds)}: ` +
    `${(100 * times.share).toFixed(0)} % reached`
  );
}
