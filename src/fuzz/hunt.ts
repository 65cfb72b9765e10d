/** Draws damaged folders for a reader, each by its number, and tries them. */
import fc from "fast-check";
import { attempt, type Ground, type Outcome } from "./attempt.js";
import { type Damage, damage, damaged } from "./edits.js";
import type { Files, Reader } from "./reader.js";

/** One input: which seed, which of its files, and what becomes of it. */
interface Input {
  seed: number;
  file: number;
  how: Damage;
  mend: boolean;
}

const inputs: fc.Arbitrary<Input> = fc.record({
  seed: fc.nat(),
  file: fc.nat(),
  how: damage,
  mend: fc.boolean(),
});

/** Gives the files of an input. */
export function filesOf(reader: Reader, seeds: readonly Files[], { seed, file, how, mend }: Input): Files {
  const whole = seeds[seed % seeds.length]!;
  const paths = Object.keys(whole).filter((path) => reader.only?.test(path) ?? true);
  const path = paths[file % paths.length]!;
  const bytes = damaged(Buffer.from(whole[path]!), how);
  return { ...whole, [path]: mend && reader.mend ? reader.mend(Buffer.from(bytes), path) : bytes };
}

export interface Hunt {
  seed: number;
  /** How many inputs are drawn. */
  runs: number;
  ground: Ground;
  /** Is told of each input before it is tried. */
  onInput?: () => void;
}

/** Makes a reader's seeds, or the first few of them, and checks that it accepts them all. */
export async function soundSeeds(reader: Reader, ground: Ground, most?: number): Promise<readonly Files[]> {
  const seeds = (await reader.seeds(ground.folder)).slice(0, most);
  for (const files of seeds) {
    // The attempt leaves the files behind, so that the reader's own error is seen where it refuses them.
    if ((await attempt(reader, files, ground)) === "refused") await reader.read(ground.folder);
  }
  return seeds;
}

/**
 * Tries a reader on damaged files.
 *
 * @returns how many were accepted and refused
 * @throws Error with the smallest input that fast-check finds for which the reader breaks a rule
 */
export async function hunt(
  reader: Reader,
  seeds: readonly Files[],
  { seed, runs, ground, onInput }: Hunt,
): Promise<Record<Outcome, number>> {
  const counts = { accepted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      onInput?.();
      counts[await attempt(reader, filesOf(reader, seeds, input), ground)]++;
    }),
    { seed, numRuns: runs },
  );
  return counts;
}
