import { createHash } from "node:crypto";

/** Random numbers from 0 to 1 that follow from all that is given, so that a try can be repeated (mulberry32). */
export function randomOf(...from: readonly (string | number)[]): () => number {
  let state = createHash("sha256").update(JSON.stringify(from)).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
