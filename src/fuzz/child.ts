/** The process that the long run may lose: it tries one reader, and writes down how far it has come. */
import { openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { groundIn } from "./attempt.js";
import { hunt, soundSeeds } from "./hunt.js";
import { batch, type Order, type Result } from "./order.js";
import { readers } from "./readers.js";

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
      const { message, cause } = error as Error;
      total.broken.push(`${message.slice(0, 6000)}\n${(cause as Error | undefined)?.stack ?? ""}`);
    }
    total.megabytes = Math.round(process.resourceUsage().maxRSS / 1000);
    if (number % 10 === 0 || number === to - 1)
      writeFileSync(result, JSON.stringify({ ...total, next: number + 1 }));
  }
  writeSync(file, "done".padEnd(31).concat("\n"), 0);
}

// Not awaited here: in a bundle, a part that is loaded later may need this file, and would wait for it to end.
if (process.argv[2]?.startsWith("{")) void obey(JSON.parse(process.argv[2]));
