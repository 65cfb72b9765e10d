/**
 * Trains one network on 1, 2 and 4 processes, from the same weights, and writes the loss of each of 50 steps side by side: with
 * the batch norm of all images (`syncBatchNorm`) and `kernels: exact`, in float64 and float32. Two processes train twice, and
 * with fast kernels and each rank's own batch norm twice more, and the SHA-256 of the last weights is kept.
 *
 *   npx tsc -p bench && node build/bench/probes/rank-losses.js [--out results/ranks/losses.json]
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { data, distributed, methods, models, nn, optim, torch, training } from "lyceum";
import { plainEnvironment } from "../environment.js";

const settings = {
  ...{ network: "resnet20", classes: 10, size: 16, trainCount: 320, batchSize: 64, epochs: 10, seed: 1 },
  ...{ learningRate: { float64: 0.05, float32: 0.002 }, momentum: 0.9, weightDecay: 1e-4 },
};
const sync = { kernels: "exact", syncBatchNorm: true } as const;
const own = { kernels: "fast", syncBatchNorm: false } as const;
/** What is trained on each number of processes, in this order. */
const plans = [
  { processes: 1, ...sync, dtype: "float64" },
  { processes: 2, ...sync, dtype: "float64" },
  { processes: 4, ...sync, dtype: "float64" },
  { processes: 1, ...sync, dtype: "float32" },
  { processes: 2, ...sync, dtype: "float32" },
  { processes: 2, ...sync, dtype: "float32" },
  { processes: 4, ...sync, dtype: "float32" },
  { processes: 2, ...own, dtype: "float32" },
  { processes: 2, ...own, dtype: "float32" },
] as const;
type Plan = (typeof plans)[number];

interface Trained {
  losses: number[];
  /** The SHA-256 of the last weights and statistics, of each rank. */
  weights: string[];
}

/** Trains in this process, alone or as one of several. */
async function train({ kernels, syncBatchNorm, dtype }: Plan, out: string): Promise<void> {
  const environment = distributed.groupFromEnvironment();
  const group = environment && (await distributed.joinGroup(environment));
  const { network, classes, size, trainCount, batchSize, epochs, seed, momentum, weightDecay } = settings;
  nn.setKernels(kernels);
  const set = data.makeSynthetic({ classes, size, trainCount, testCount: classes, seed }).train;
  const model = models
    .createModel(network, { classes, channels: set.channels, generator: new torch.Generator(seed) })
    .to({ memoryFormat: "channelsLast", dtype });
  const loader = new data.Loader(set, {
    ...data.channelStatistics(set),
    ...{ batchSize, seed, shuffle: true, augment: { crop: 1, flip: true } },
    ...(group && { ranks: group, fewestPerRank: syncBatchNorm ? 1 : 2 }),
  });
  const learningRate = settings.learningRate[dtype];
  const losses: number[] = [];
  await training.trainNetwork(
    {
      model,
      optimizer: new optim.SGD(model.parameters(), { learningRate, momentum, weightDecay }),
      objective: training.objectiveOf(methods.strict, {}),
      ranks: group && new training.Ranks(group),
      syncBatchNorm,
    },
    {
      ...{ loader: inDtype(loader, dtype), epochs, schedule: () => learningRate, reportEvery: 0 },
      observers: [{ onStep: ({ loss }) => void losses.push(loss) }],
    },
  );
  const weights = hashOf(model.stateDict());
  const all = group ? await group.exchange("weights", weights) : [weights];
  await group?.leave();
  if (!group || group.rank === 0) writeFileSync(out, JSON.stringify({ losses, weights: all }));
}

/** A loader whose images are of some dtype. */
function inDtype(loader: data.Loader, dtype: torch.DType): data.Loader {
  async function* epoch(...args: Parameters<data.Loader["epoch"]>) {
    for await (const batch of loader.epoch(...args)) {
      const images = torch.keep(batch.images.to({ dtype }));
      yield { ...batch, images };
      images.dispose();
    }
  }
  return { stepsPerEpoch: loader.stepsPerEpoch, epoch } as unknown as data.Loader;
}

function hashOf(state: Record<string, torch.Tensor>): string {
  const hash = createHash("sha256");
  for (const tensor of Object.values(state)) {
    const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}

/** Trains each plan in processes of its own, with one thread each. */
async function trainAll(out: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-rank-losses-"));
  const trained: (Plan & Trained)[] = [];
  try {
    for (const [i, plan] of plans.entries()) {
      const file = join(folder, `${i}.json`);
      const args = [process.argv[1]!, "--plan", String(i), "--out", file];
      const { processes } = plan;
      const env = { ...plainEnvironment(), OMP_NUM_THREADS: "1" };
      const code =
        processes === 1
          ? spawnSync(process.execPath, args, { env, stdio: "inherit" }).status
          : (await distributed.launch({ processes, args, env })).code;
      if (code !== 0) throw new Error(`${JSON.stringify(plan)} ended with code ${code}`);
      trained.push({ ...plan, ...(JSON.parse(readFileSync(file, "utf8")) as Trained) });
      console.log(`${processes} processes, ${plan.dtype}, ${plan.kernels}: ${trained.at(-1)!.weights[0]}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const found = {
    about:
      "Losses of 50 steps on 1, 2 and 4 processes, and SHA-256 of the last weights of each rank (bench/probes/rank-losses.ts).",
    command: "npx tsc -p bench && node build/bench/probes/rank-losses.js",
    machine: `${cpus()[0]?.model.trim()}, ${torch.physicalCores()} cores; libtorch ${torch.version()}; Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    settings,
    differences: (["float64", "float32"] as const).flatMap((dtype) => differencesOf(trained, dtype)),
    trained,
  };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(found, undefined, 2)}\n`);
  for (const line of tableOf(trained)) console.log(line);
  console.log(JSON.stringify(found.differences, undefined, 2));
}

const synchronised = (trained: readonly (Plan & Trained)[], dtype: Plan["dtype"]) =>
  trained.filter((each) => each.syncBatchNorm && each.dtype === dtype);

/** How far the losses of several processes are from those of one, as a fraction of the largest loss. */
function differencesOf(trained: readonly (Plan & Trained)[], dtype: Plan["dtype"]) {
  const [one, ...others] = synchronised(trained, dtype);
  const largest = Math.max(...one!.losses);
  return others.map(({ processes, losses }) => {
    const differences = losses.map((loss, step) => Math.abs(loss - one!.losses[step]!) / largest);
    return { dtype, processes, firstStep: differences[0]!, atMost: Math.max(...differences) };
  });
}

/** The losses as a table of Markdown: a row for each tenth step. */
function tableOf(trained: readonly (Plan & Trained)[]): string[] {
  const columns = (["float64", "float32"] as const).flatMap((dtype) =>
    [1, 2, 4].map((processes) => synchronised(trained, dtype).find((each) => each.processes === processes)!),
  );
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const steps = [1, 10, 20, 30, 40, 50];
  return [
    row(["step", ...columns.map(({ processes, dtype }) => `${processes}, ${dtype}`)]),
    row(["step", ...columns].map(() => "---")),
    ...steps.map((step) =>
      row([
        String(step),
        ...columns.map(({ losses, dtype }) => losses[step - 1]!.toFixed(dtype === "float64" ? 14 : 8)),
      ]),
    ),
  ];
}

const { values } = parseArgs({
  options: {
    plan: { type: "string" },
    out: { type: "string", default: "results/ranks/losses.json" },
  },
});
if (values.plan === undefined) await trainAll(values.out);
else await train(plans[Number(values.plan)]!, values.out);
