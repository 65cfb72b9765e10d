import type { Output } from "./progress.js";

/** Work that ends within this time shows no progress. */
const SILENT_MS = 2000;
/** The shortest time between two drawings of the line on a terminal. */
const REDRAW_MS = 100;
/** The shortest time between two lines where the output is no terminal. */
const LINE_MS = 10_000;

/**
 * Shows how many of a number of things are done, once the work takes a while: on a terminal as a line that is
 * redrawn, elsewhere as a line every ten seconds.
 */
export function counterTo(
  output: Output,
  { of, noun }: { of: number; noun: string },
): { show(done: number): void; clear(): void } {
  const start = performance.now();
  const live = output.isTTY === true;
  const between = live ? REDRAW_MS : LINE_MS;
  let last = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show: (done) => {
      const now = performance.now();
      if (now - start < SILENT_MS || now - last < between) return;
      last = now;
      const text = `${done} of ${of} ${noun}`;
      output.write(live ? `\r\x1b[K${text}` : `${text}\n`);
      drawn = live;
    },
    /** Erases the redrawn line, before something else is written. */
    clear: () => {
      if (drawn) output.write("\r\x1b[K");
      drawn = false;
    },
  };
}
