import type { Output } from "./progress.js";

/** Work that ends within this time shows no progress. */
const SILENT_MS = 2000;
/** The shortest time between two drawings of the line on a terminal. */
const REDRAW_MS = 100;
/** The shortest time between two lines where the output is no terminal. */
const LINE_MS = 10_000;

/** A line that shows how far something is. */
interface Line<Told> {
  show(told: Told): void;
  /** Erases the redrawn line, before something else is written. */
  clear(): void;
}

/**
 * Shows a line once the work takes a while: on a terminal it is redrawn, elsewhere there is a new one every ten seconds.
 */
export function lineTo(output: Output): Line<string> {
  const start = performance.now();
  const live = output.isTTY === true;
  const between = live ? REDRAW_MS : LINE_MS;
  let last = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show: (text) => {
      const now = performance.now();
      if (now - start < SILENT_MS || now - last < between) return;
      last = now;
      output.write(live ? `\r\x1b[K${text}` : `${text}\n`);
      drawn = live;
    },
    clear: () => {
      if (drawn) output.write("\r\x1b[K");
      drawn = false;
    },
  };
}

/** Shows how many of a number of things are done, as {@link lineTo} does. */
export function counterTo(output: Output, { of, noun }: { of: number; noun: string }): Line<number> {
  const { show, clear } = lineTo(output);
  return { show: (done) => show(`${done} of ${of} ${noun}`), clear };
}
