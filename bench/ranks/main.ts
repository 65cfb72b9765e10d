/**
 * `npm run bench -- ranks`: a training step in one process with all cores, and in several processes with one thread each, beside
 * PyTorch and its DistributedDataParallel on the same Gloo, in turns. See bench/README.md.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { models, torch } from "lyceum";
import { interleave, type Spread, spread } from "../sampling.js";
import { calm } from "../scene.js";
import { pageOf } from "./page.js";
import { Party } from "./party.js";
import { type Checked, checkModel, type Predicted, predictions } from "./predictions.js";
import { type Link, linkOf } from "./step-model.js";

interface Network {
  model: string;
  size: number;
  /** Images of all ranks in a step. */
  batchSize: number;
  learningRate: number;
}

const networks: readonly Network[] = [
  { model: "resnet20", size: 32, batchSize: 128, learningRate: 0.01 },
  { model: "resnet110", size: 32, batchSize: 128, learningRate: 0.01 },
  { model: "resnet50", size: 224, batchSize: 8, learningRate: 1e-3 },
];
const classes = 100;
const batches = 4;

/** The sides of the measurement: whose processes, how many, and how they take their steps. */
const sides = {
  "Lyceum 1": { party: "ours1", mode: "train" },
  "Lyceum 2": { party: "ours2", mode: "train" },
  "Lyceum 2, nothing summed": { party: "ours2", mode: "alone" },
  "Lyceum 2, sums timed": { party: "ours2", mode: "sums" },
  "Lyceum 4": { party: "ours4", mode: "train" },
  "Lyceum 4, nothing summed": { party: "ours4", mode: "alone" },
  "PyTorch 1": { party: "theirs1", mode: "train" },
  "PyTorch DDP 2": { party: "theirs2", mode: "train" },
  "PyTorch DDP 2, nothing summed": { party: "theirs2", mode: "alone" },
} as const;
export type Side = keyof typeof sides;
type PartyName = (typeof sides)[Side]["party"];

/** What was measured of a network. */
export interface Measured {
  model: string;
  size: number;
  batchSize: number;
  gradientBytes: number;
  /** Seconds of a step. */
  seconds: Record<Side, Spread>;
  /** Of Lyceum's two processes: seconds in which buckets waited and were summed, and those of them that backward did not hide. */
  summing: Spread;
  exposed: Spread;
  /** Steps of each side. */
  steps: number;
  date: string;
  /** The machine's load in the minute before, at the end: 0 on a quiet machine before the bench began. */
  load: number;
}

export interface Results {
  about: string;
  command: string;
  machine: Record<string, string | number>;
  networks: Measured[];
  /** Seconds of an all-reduce by its bytes, in 2 and 4 processes. */
  allReduces: Record<string, Record<string, number>>;
  links: Record<"2" | "4", Link>;
  check?: Checked[];
  predicted?: Predicted[];
}

const { values } = parseArgs({
  args: process.argv.slice(2).filter((each) => each !== "ranks"),
  options: {
    model: { type: "string", multiple: true },
    seconds: { type: "string", default: "60" },
    python: { type: "string", default: "/usr/bin/python3" },
    page: {
      type: "string",
      default: fileURLToPath(new URL("../../../results/ranks/steps.md", import.meta.url)),
    },
    out: {
      type: "string",
      default: fileURLToPath(new URL("../../../bench/results/ranks.json", import.meta.url)),
    },
  },
});
const chosen = networks.filter(({ model }) => !values.model || values.model.includes(model));
const budget = Number(values.seconds);
const cores = torch.physicalCores();

interface Turn {
  seconds: number[];
  losses: number[];
  summing?: number[];
  exposed?: number[];
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

/** Writes first weights and images, which all processes read. @returns the bytes of the gradients */
function handOver({ model, size, batchSize }: Network, folder: string): number {
  const generator = new torch.Generator(0);
  return torch.scope(() => {
    const network = models.createModel(model, { classes, channels: 3, generator });
    calm(network);
    torch.saveSafetensors(join(folder, "weights.safetensors"), network.stateDict());
    torch.saveSafetensors(join(folder, "data.safetensors"), {
      images: torch.randn([batches, batchSize, 3, size, size], { generator }),
      labels: torch.randint(0, classes, [batches, batchSize], { generator, dtype: "int64" }),
    });
    return network.parameters().reduce((sum, { numel }) => sum + 4 * numel, 0);
  });
}

/** The losses of the first steps must agree, or the sides do not compute the same. */
function compare(model: string, ours: readonly Turn[], theirs: readonly Turn[]): void {
  const lossesOf = (turns: readonly Turn[]) =>
    turns[0]!.losses.map((_, step) => mean(turns.map(({ losses }) => losses[step]!)));
  const [mine, other] = [lossesOf(ours), lossesOf(theirs)];
  const worst = Math.max(...mine.map((loss, step) => Math.abs(loss / other[step]! - 1)));
  console.log(
    `${model}, ${ours.length} processes: losses beside PyTorch's differ by ${worst.toExponential(1)}`,
  );
  if (worst > 1e-3) throw new Error(`${model}: ${mine.join(", ")}; PyTorch's ${other.join(", ")}`);
}

async function measure(network: Network, parties: Record<PartyName, Party>): Promise<Measured> {
  const { model, size, batchSize, learningRate } = network;
  const folder = mkdtempSync(join(tmpdir(), "lyceum-bench-ranks-"));
  let gradientBytes: number;
  try {
    gradientBytes = handOver(network, folder);
    const [weights, data] = ["weights", "data"].map((name) => join(folder, `${name}.safetensors`));
    for (const party of Object.values(parties))
      await party.ask({ do: "prepare", model, classes, learningRate, weights, data });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const turn = ({ party, mode }: (typeof sides)[Side], steps: number) =>
    parties[party].ask<Turn>({ do: "run", mode, steps });
  const firsts = {} as Record<PartyName, Turn[]>;
  // All have taken the same steps before, which are none.
  for (const name of Object.keys(parties) as PartyName[])
    firsts[name] = await turn({ party: name, mode: "train" } as (typeof sides)[Side], 3);
  compare(model, firsts.ours1, firsts.theirs1);
  compare(model, firsts.ours2, firsts.theirs2);

  const all = Object.values(sides);
  const one = all.reduce((sum, { party }) => sum + firsts[party][0]!.seconds.at(-1)!, 0);
  const perTurn = Math.min(4, Math.max(1, Math.floor(3 / one)));
  const rounds = Math.min(20, Math.max(3, Math.floor(budget / (perTurn * one)) - 1));
  const [summing, exposed]: [number[], number[]] = [[], []];
  const samples = await interleave(
    rounds,
    all.map((side) => async () => {
      const [first] = await turn(side, perTurn);
      summing.push(...(first!.summing ?? []));
      exposed.push(...(first!.exposed ?? []));
      return first!.seconds;
    }),
  );
  const names = Object.keys(sides) as Side[];
  const seconds = Object.fromEntries(names.map((name, i) => [name, spread(samples[i]!)]));
  return {
    ...{ model, size, batchSize, gradientBytes, seconds: seconds as Measured["seconds"] },
    // The first round warms up.
    summing: spread(summing.slice(perTurn)),
    exposed: spread(exposed.slice(perTurn)),
    steps: rounds * perTurn,
    date: new Date().toISOString(),
    load: loadavg()[0]!,
  };
}

/** The medians of all-reduces of several sizes, in seconds. */
async function allReducesOf(party: Party): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [bytes, times] of [
    [256, 40],
    [65_536, 20],
    [4 * 2 ** 20, 12],
    [100_000_000, 4],
  ] as const) {
    const [first] = await party.ask<{ seconds: number[] }>({ do: "all-reduce", bytes, times });
    found[bytes] = spread(first!.seconds).median;
  }
  return found;
}

const linkFrom = (ranks: number, all: Record<string, number>) =>
  linkOf(ranks, all[256]!, { bytes: 100_000_000, seconds: all[100_000_000]! });

function lineOf({ model, batchSize, seconds, summing, exposed }: Measured): string {
  const ms = (side: Side) => (1000 * seconds[side].median).toFixed(1);
  const ratio = (a: Side, b: Side) => (seconds[a].median / seconds[b].median).toFixed(2);
  const lost = (a: Side, b: Side) =>
    `${(100 * (1 - seconds[b].median / seconds[a].median)).toFixed(0)} % of a step`;
  return [
    `${model}, ${batchSize} images, ms a step:`,
    `  Lyceum    1 process ${ms("Lyceum 1")}, 2 processes ${ms("Lyceum 2")} (${ratio("Lyceum 1", "Lyceum 2")} times as fast as 1), ` +
      `4 processes ${ms("Lyceum 4")}; summing costs 2 processes ${lost("Lyceum 2", "Lyceum 2, nothing summed")}; ` +
      `of ${(1000 * summing.median).toFixed(1)} ms of sums ${(1000 * exposed.median).toFixed(1)} are not hidden`,
    `  PyTorch   1 process ${ms("PyTorch 1")}, DDP of 2 ${ms("PyTorch DDP 2")} (${ratio("PyTorch 1", "PyTorch DDP 2")}); ` +
      `summing costs ${lost("PyTorch DDP 2", "PyTorch DDP 2, nothing summed")}`,
    `  Lyceum is ${ratio("PyTorch 1", "Lyceum 1")} times as fast in 1 process, ${ratio("PyTorch DDP 2", "Lyceum 2")} in 2`,
  ].join("\n");
}

/** The results of before, where they are of this machine: a network that is measured anew takes the place of what is there. */
function earlier(machine: Results["machine"]): Results | undefined {
  if (!existsSync(values.out)) return undefined;
  const found = JSON.parse(readFileSync(values.out, "utf8")) as Results;
  return JSON.stringify(found.machine) === JSON.stringify(machine) ? found : undefined;
}

const started = performance.now();
const { python } = values;
const parties: Record<PartyName, Party> = {
  ours1: await Party.start({ processes: 1, threads: cores }),
  ours2: await Party.start({ processes: 2, threads: 1 }),
  ours4: await Party.start({ processes: 4, threads: 1 }),
  theirs1: await Party.start({ processes: 1, threads: cores, python }),
  theirs2: await Party.start({ processes: 2, threads: 1, python }),
};
const machine = {
  ...{ cpu: cpus()[0]?.model.trim() ?? "unknown", cores, node: process.version },
  ...{ libtorch: parties.ours1.version, pytorch: parties.theirs1.version },
};
const rounded = (_: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(4)) : value;
try {
  const allReduces = { "2": await allReducesOf(parties.ours2), "4": await allReducesOf(parties.ours4) };
  const results: Results = {
    about: "Steps in one process and in several, beside PyTorch, in turns (bench/ranks/main.ts).",
    command: "npm run bench -- ranks",
    machine,
    networks: earlier(machine)?.networks ?? [],
    allReduces,
    links: { "2": linkFrom(2, allReduces[2]), "4": linkFrom(4, allReduces[4]) },
  };
  const write = () => {
    results.check = checkModel(results);
    results.predicted = predictions(results);
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify(results, rounded, 2)}\n`);
    mkdirSync(dirname(values.page), { recursive: true });
    writeFileSync(values.page, pageOf(results));
  };
  for (const network of chosen) {
    const found = await measure(network, parties);
    const at = results.networks.findIndex(({ model }) => model === found.model);
    if (at < 0) results.networks.push(found);
    else results.networks[at] = found;
    console.log(lineOf(found));
    write();
  }
  for (const { model, ranks, measured, predicted } of results.check ?? [])
    console.log(
      `${model} on ${ranks}: ${(1000 * measured).toFixed(1)} ms, by the model ${(1000 * predicted).toFixed(1)}`,
    );
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s in all; written to ${values.out}`);
} finally {
  for (const party of Object.values(parties)) party.stop();
}
