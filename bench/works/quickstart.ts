/**
 * Measures the whole quickstart, from the start of a fresh process to its end: `lyceum train quickstart` with its run folder
 * and report, beside the same recipe in PyTorch, which keeps nothing.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadRecipe, losses, methods, type Recipe, resolveRecipe, type Summary, torch } from "lyceum";
import { plainEnvironment } from "../environment.js";
import type { Peer } from "../peer.js";
import { spread } from "../sampling.js";
import { type Row, row, type Work } from "../work.js";

const ours = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const theirs = fileURLToPath(new URL("../../../bench/peer/quickstart.py", import.meta.url));
/** The folder of Debian's dataset-fashion-mnist, which `setup` installs. */
const folder = "/usr/share/datasets/fashion-mnist";

/** The least top-1 of either side, and the largest difference between them: both must have learned, and about as much. */
const leastTop1 = { whole: 0.8, quick: 0.6 };
const mostApart = { whole: 0.02, quick: 0.06 };

interface Outcome {
  seconds: number;
  /** Fractions of the test images, by generation. */
  top1: number[];
}

async function timed(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<[number, string]> {
  const started = performance.now();
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, problem] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    problem = (problem + chunk).slice(-2000);
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.slice(0, 3).join(" ")} failed: ${problem}`);
  return [(performance.now() - started) / 1000, out];
}

async function lyceum(quick: boolean): Promise<Outcome> {
  const out = await mkdtemp(join(tmpdir(), "lyceum-quickstart-"));
  try {
    const fewer = quick ? ["--set", "epochs=1"] : [];
    const args = [ours, "train", "quickstart", "--out", out, "--json", ...fewer];
    const [seconds, printed] = await timed(process.execPath, args, {
      ...plainEnvironment(),
      OMP_NUM_THREADS: String(torch.getNumThreads()),
    });
    const { generations } = JSON.parse(printed) as Summary;
    return { seconds, top1: generations.map(({ test }) => test.top1) };
  } finally {
    await rm(out, { recursive: true });
  }
}

async function pytorch(peer: Peer, recipe: Recipe): Promise<Outcome> {
  const { method, ...tolerance } = recipe.patriarch;
  if (method !== methods.topScoreDifference.name)
    throw new Error(`the quickstart's patriarch is to be tolerant, but its method is ${method}`);
  const request = {
    recipe,
    folder,
    patriarchHardWeight: losses.toleranceToHardWeight(tolerance as unknown as losses.Tolerance),
    threads: torch.getNumThreads(),
    tuned: peer.name === "pytorch-tuned",
  };
  const [seconds, printed] = await timed(peer.python, [theirs, JSON.stringify(request)], peer.env);
  return { seconds, ...(JSON.parse(printed) as Pick<Outcome, "top1">) };
}

const percents = (values: readonly number[]) => values.map((value) => (100 * value).toFixed(2)).join(", ");

function check(mine: Outcome, theirs: Outcome, peer: string, size: "whole" | "quick"): void {
  const [own, other] = [mine.top1.at(-1)!, theirs.top1.at(-1)!];
  console.log(`quickstart: top-1 ${percents(mine.top1)}; ${peer} ${percents(theirs.top1)}`);
  const least = leastTop1[size];
  if (Math.min(own, other) < least || Math.abs(own - other) > mostApart[size]) {
    throw new Error(
      `the quickstarts are not the same: last top-1 ${percents([own])} and ${percents([other])}, each is to be ` +
        `above ${100 * least} and they are to be within ${100 * mostApart[size]} points`,
    );
  }
}

export const quickstart: Work = {
  name: "quickstart",
  async run({ peers, quick }) {
    const recipe = resolveRecipe({ ...(await loadRecipe("quickstart")), ...(quick && { epochs: 1 }) });
    const size = quick ? "quick" : "whole";
    const model = quick ? "resnet8, 1 epoch a generation" : "resnet8";
    console.log(`quickstart: ${recipe.generations} generations of ${recipe.epochs} epochs on each side`);
    const rows: Row[] = [];
    for (const peer of peers) {
      // It takes too long for many rounds, so Lyceum is measured before and after the peer.
      const before = await lyceum(quick);
      const other = await pytorch(peer, recipe);
      const after = await lyceum(quick);
      check(before, other, peer.name, size);
      rows.push(
        row(
          { work: "quickstart", model, peer: peer.name, unit: "s" },
          { ours: spread([before.seconds, after.seconds]), theirs: spread([other.seconds]) },
        ),
      );
    }
    return rows;
  },
};
