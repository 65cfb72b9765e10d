/** Measures fresh processes: the seconds from start to the end of the first training step, and the memory of some steps. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { torch } from "lyceum";
import { plainEnvironment } from "../environment.js";
import type { Peer } from "../peer.js";
import { interleave, spread } from "../sampling.js";
import { type Context, type Row, row, type Work } from "../work.js";

const ours = fileURLToPath(new URL("../fresh.js", import.meta.url));
const theirs = fileURLToPath(new URL("../../../bench/peer/fresh.py", import.meta.url));

interface Outcome {
  seconds: number;
  peakMiB: number;
}

async function runFresh(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let seconds = Number.NaN;
  let peakMiB = Number.NaN;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "stepped") seconds = (performance.now() - started) / 1000;
    else peakMiB = Number(line);
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0 || Number.isNaN(seconds + peakMiB)) throw new Error(`${command} ${args.join(" ")} failed`);
  return { seconds, peakMiB };
}

/** Enough steps for the memory to have reached what training takes. */
function lyceum(steps: number): Promise<Outcome> {
  return runFresh(process.execPath, [ours, String(steps), String(torch.getNumThreads())], plainEnvironment());
}

function pytorch(peer: Peer, steps: number): Promise<Outcome> {
  const args = [theirs, String(steps), String(torch.getNumThreads()), peer.name];
  return runFresh(peer.python, args, peer.env);
}

function measureFresh(
  name: "start-up" | "peak-memory",
  steps: number,
  of: (outcome: Outcome) => number,
): Work {
  return {
    name,
    async run({ peers, quick }: Context): Promise<Row[]> {
      const sides = [
        async () => [of(await lyceum(steps))],
        ...peers.map((peer) => async () => [of(await pytorch(peer, steps))]),
      ];
      const [mine, ...others] = (await interleave(quick ? 2 : 5, sides)).map(spread);
      return peers.map((peer, index) =>
        row(
          { work: name, model: "resnet20", peer: peer.name, unit: name === "start-up" ? "s" : "MiB" },
          { ours: mine!, theirs: others[index]! },
        ),
      );
    },
  };
}

export const freshWorks: Work[] = [
  measureFresh("start-up", 1, ({ seconds }) => seconds),
  measureFresh("peak-memory", 10, ({ peakMiB }) => peakMiB),
];
