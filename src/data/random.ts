/**
 * Makes random numbers that are pure functions of a key, such as (seed, epoch, index): what is drawn for one image
 * depends on nothing that was drawn before, so that order, threads, batch size and resuming change nothing.
 */

/** The finaliser of MurmurHash3 (Appleby): each bit of the input changes about half of the output's. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

/**
 * Makes a uniform 32-bit number, 0 .. 2^32 - 1, that the key decides.
 *
 * @param key integers, up to 2^53 either way; order and length count
 */
export function hash32(...key: number[]): number {
  let state = 0x9e3779b9 ^ key.length;
  for (const word of key) {
    state = Math.imul(mix(state ^ word), 0x9e3779b1) + 0x7f4a7c15;
    state = Math.imul(mix(state ^ Math.floor(word / 2 ** 32)), 0x9e3779b1) + 0x7f4a7c15;
  }
  return mix(state) >>> 0;
}

/**
 * What stands after (seed, epoch, image or step) in the keys of random sequences, so that no two of them share their
 * numbers.
 */
export const drawsOf = { mixing: 3, partners: 4, erasing: 5, policy: 6, box: 7, jitter: 8 } as const;

/** Scales a 32-bit number to 0 .. n - 1, for small n: some are likelier than others by up to n / 2^32. */
export function scaleTo(n: number, uniform32: number): number {
  return Math.floor((uniform32 / 2 ** 32) * n);
}

/** A sequence of random numbers that its key decides. The generator is sfc32 (Doty-Humphrey, PractRand). */
export class RandomSequence {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(...key: number[]) {
    this.#a = hash32(...key, 1);
    this.#b = hash32(...key, 2);
    this.#c = hash32(...key, 3);
  }

  /** Draws a whole number of 0 .. 2^32 - 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Draws a number of at least `low` and less than `high`. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 2 ** 32);
  }

  /** Draws a whole number of 0 .. n - 1, each exactly as likely; n up to 2^32. */
  below(n: number): number {
    const even = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const drawn = this.uint32();
      if (drawn < even) return drawn % n;
    }
  }
}

/** Copies the values in a random order that the key decides (Fisher-Yates). */
export function shuffled(values: Int32Array, ...key: number[]): Int32Array {
  const result = values.slice();
  const random = new RandomSequence(...key);
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = result[i]!;
    result[i] = result[j]!;
    result[j] = kept;
  }
  return result;
}
