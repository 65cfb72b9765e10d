import type { Output } from "./progress.js";

/** Work that is done by then needs no telling. */
const SILENT_MS = 2000;
const REDRAW_MS = 100;
const LINE_MS = 10_000;

/** Tells how many of many are done, once that takes longer: a line that is redrawn on a terminal, one now and then elsewhere. */
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
    /** Takes the redrawn line away, before something else is written. */
    clear: () => {
      if (drawn) output.write("\r\x1b[K");
      drawn = false;
    },
  };
}
