import { drawsOf, hash32 } from "../random.js";

/**
 * Makes the numbers that decide the boxes of random views. They depend on (seed, epoch, index) alone.
 *
 * @param indices the images' places in their set, [B]
 * @returns [B]
 */
export function boxKeys(indices: Int32Array, seed: number, epoch: number): BigInt64Array {
  const keys = new BigInt64Array(indices.length);
  const halves = new Uint32Array(keys.buffer);
  indices.forEach((index, b) => {
    halves[2 * b] = hash32(seed, epoch, index, drawsOf.box, 0);
    halves[2 * b + 1] = hash32(seed, epoch, index, drawsOf.box, 1);
  });
  return keys;
}
