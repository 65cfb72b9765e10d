/** The process that the long run may lose: it tries one reader, and writes down how far it has come. */
import { openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { groundIn } from "./attempt.js";
import { hunt, soundSeeds } from "./hunt.js";
import { readers } from "./readers.js";

/** What the parent asks for; JSON in the first argument. */
export interface Order {
  reader: string;
  seed: number;
  /** The number of the first batch to try, and of the one to stop before. */
  from: number;
  to: number;
  /** A folder of the reader's own. */
  root: string;
  /** The path of a file that says which input is tried, over and over in place. */
  position: string;
  /** The path of the file for the result. */
  result: string;
}

/** What came of some batches. */
export interface Result {
  accepted: number;
  refused: number;
  /** What broke a rule: a batch each, with the smallest input. */
  broken: string[];
  /** The largest resident memory of the process, in MB. */
  megabytes: number;
}

/** Inputs are drawn in batches of this many, each from its own seed. */
export const batch = 200;

async function obey({ reader: name, seed, from, to, root, position, result }: Order): Promise<void> {
  const reader = readers.find((one) => one.name === name)!;
  const ground = groundIn(root);
  process.env.LYCEUM_DATA = join(ground.folder, "cache");
  process.chdir(ground.outside);
  const file = openSync(position, "w");
  let tried = 0;
  const at = (number: number) => writeSync(file, `${number} ${tried++}`.padEnd(31).concat("\n"), 0);
  const seeds = await soundSeeds(reader, ground);
  at(from);
  const total: Result = { accepted: 0, refused: 0, broken: [], megabytes: 0 };
  for (let number = from; number < to; number++) {
    try {
      const found = await hunt(reader, seeds, {
        ...{ seed: (seed + number * 7919) | 0, runs: batch, ground },
        onInput: () => at(number),
      });
      total.accepted += found.accepted;
      total.refused += found.refused;
    } catch (error) {
      total.broken.push(String((error as Error).message).slice(0, 6000));
    }
    total.megabytes = Math.round(process.resourceUsage().maxRSS / 1000);
    if (number % 10 === 0 || number === to - 1)
      writeFileSync(result, JSON.stringify({ ...total, next: number + 1 }));
  }
  writeSync(file, "done".padEnd(31).concat("\n"), 0);
}

// Not awaited here: in a bundle, a part that is loaded later may need this file, and would wait for it to end.
if (process.argv[2]?.startsWith("{")) void obey(JSON.parse(process.argv[2]));
