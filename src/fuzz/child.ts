/** The process that the long run may lose: it tries one reader, and writes down how far it has come. */
import { openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { groundIn } from "./attempt.js";
import { hunt, soundSeeds } from "./hunt.js";
import { batch, type Order, type Result } from "./order.js";
import { readers } from "./readers.js";

/** Results are written at most so often, in milliseconds. */
const every = 2000;

async function obey(order: Order): Promise<void> {
  const { reader: name, seed, from, to, root, position, result } = order;
  const reader = readers.find((one) => one.name === name)!;
  const ground = groundIn(root);
  process.env.LYCEUM_DATA = join(ground.folder, "cache");
  process.chdir(ground.outside);
  const parent = process.ppid;
  const file = openSync(position, "w");
  let tried = 0;
  const at = (number: number) => writeSync(file, `${number} ${tried++}`.padEnd(31).concat("\n"), 0);
  const seeds = await soundSeeds(reader, ground);
  at(from);
  const total: Result = { next: from, accepted: 0, refused: 0, broken: [], megabytes: 0 };
  const begun = performance.now();
  let written = begun;
  const keep = () => {
    writeFileSync(`${result}.tmp`, JSON.stringify(total));
    renameSync(`${result}.tmp`, result);
    written = performance.now();
  };
  while (total.next < to && performance.now() - begun < order.seconds * 1000) {
    const number = total.next;
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
    total.next = number + 1;
    if (performance.now() - written > every) keep();
    // Nobody would hear of the rest where the run itself was ended.
    if (process.ppid !== parent) process.exit(1);
  }
  keep();
  writeSync(file, "done".padEnd(31).concat("\n"), 0);
  await reader.close?.();
}

// Not awaited here: in a bundle, a part that is loaded later may need this file, and would wait for it to end.
if (process.argv[2]?.startsWith("{")) void obey(JSON.parse(process.argv[2]));
