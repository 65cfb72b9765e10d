/**
 * The process whose memory the memory test weighs. It does what its first argument names and prints the result as JSON.
 * All figures are megabytes.
 */
import { setImmediate as turn } from "node:timers/promises";
import * as torch from "../index.js";

const megabytes = () => process.memoryUsage().rss / 2 ** 20;

/** How much the process grows, after warming up, by a million small operators inside scopes. */
function scopes(): { grown: number; live: number } {
  const x = torch.ones([4, 4]);
  const work = () => {
    for (let i = 0; i < 1000; i++) {
      torch.scope(() => {
        let y = x;
        for (let j = 0; j < 10; j++) y = y.relu();
      });
    }
  };
  for (let i = 0; i < 20; i++) work();
  const before = megabytes();
  for (let i = 0; i < 100; i++) work();
  return { grown: megabytes() - before, live: torch.memoryStats().tensors };
}

/** The most that the process stands above its start while 13 GB of tensors are made that nobody disposes of. */
async function unscoped(): Promise<{ peak: number }> {
  const before = megabytes();
  let peak = 0;
  for (let i = 0; i < 200_000; i++) {
    torch.ones([16 * 1024]);
    if (i % 1000 === 0) {
      await turn();
      peak = Math.max(peak, megabytes());
    }
  }
  return { peak: peak - before };
}

/** Makes many tensors that live for long, from which V8 may learn to allocate later ones among its old objects. */
function holdMany(x: torch.Tensor): void {
  const many: torch.Tensor[] = [];
  for (let i = 0; i < 200_000; i++) many.push(x.relu());
  for (const tensor of many) tensor.dispose();
}

/** The same in a loop that never lets the event loop turn, of a million small tensors and then of 16 GB of large ones. */
function loop(): { live: number; peak: number } {
  const x = torch.ones([4, 4]);
  holdMany(x);
  for (let i = 0; i < 1_000_000; i++) x.relu();
  const { tensors: live } = torch.memoryStats();
  const before = megabytes();
  let peak = 0;
  for (let i = 0; i < 4000; i++) {
    torch.ones([2 ** 20]);
    if (i % 10 === 0) peak = Math.max(peak, megabytes());
  }
  return { live, peak: peak - before };
}

/** The most that loading the file needs. */
function load(path: string): { peak: number } {
  const before = megabytes();
  torch.loadSafetensors(path);
  return { peak: process.resourceUsage().maxRSS / 1024 - before };
}

const [what, path] = process.argv.slice(2);
const works = { scopes, unscoped, loop, load: () => load(path!) };
// libtorch itself, which comes with its first use, does not count.
torch.scope(() => void torch.ones([64, 64]).matmul(torch.ones([64, 64])));
process.stdout.write(JSON.stringify(await works[what as keyof typeof works]()));
