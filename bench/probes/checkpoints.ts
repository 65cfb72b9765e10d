/**
 * Measures what a checkpoint costs a training: how long the training waits for it between two steps, while the state is copied,
 * and how long the thread that writes it then works beside the steps. The share is that of both in the default interval of 300
 * seconds, as if writing beside the steps took a whole core from them.
 *
 *   npx tsc -p bench && node build/bench/probes/checkpoints.js [--rounds 20] [--out bench/results/checkpoints.json] [NETWORK…]
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { models, optim, torch, training } from "lyceum";

const { values: given, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, out: { type: "string" } },
  allowPositionals: true,
});
const rounds = Number(given.rounds);
const names =
  positionals.length > 0 ? positionals : ["resnet20", "resnet110", "resnet18", "resnet50", "vgg16-bn"];
const INTERVAL = 300;

const position = {
  ...{ epoch: 1, step: 1, meter: { names: ["hard"], sums: [1, 2, 2], images: 64 } },
  ...{ seconds: 1, epochSeconds: 1, elapsedSeconds: 1 },
};

async function measure(name: string) {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-checkpoints-"));
  const large = !/^resnet(20|110)$/.test(name);
  const size = large ? 224 : 32;
  const shape = { classes: large ? 1000 : 100, channels: 3, height: size, width: size };
  const model = models.createModel(name, { ...shape, generator: new torch.Generator(0) });
  model.to({ memoryFormat: "channelsLast" });
  const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
  // A step makes the momentum, which is a part of the state.
  torch.scope(() => {
    for (const weight of model.parameters()) weight.grad = torch.onesLike(weight);
    optimizer.step();
  });
  const waits: number[] = [];
  const writes: number[] = [];
  {
    await using writer = new training.CheckpointWriter(folder);
    // The first one makes the thread and the memory, which later ones use again.
    for (let round = 0; round <= rounds; round++) {
      const began = performance.now();
      const written = writer.write({ model, optimizer }, position);
      const waited = performance.now() - began;
      await written;
      if (round > 0) writes.push(performance.now() - began - waited);
      waits.push(waited);
    }
  }
  const bytes = statSync(join(folder, "state.safetensors")).size;
  rmSync(folder, { recursive: true });
  model.dispose();
  const [first, ...later] = waits;
  const row = {
    network: name,
    mebibytes: Number((bytes / 2 ** 20).toFixed(1)),
    firstWait: first!,
    wait: median(later),
    longestWait: Math.max(...later),
    writing: median(writes),
  };
  return { ...row, share: (row.wait + row.writing) / 1000 / INTERVAL };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const rows = [];
for (const name of names) rows.push(await measure(name));
const ms = (value: number) => `${value.toFixed(1)} ms`;
const heads = [
  "network",
  "state",
  "first wait",
  "wait",
  "longest wait",
  "writing beside the steps",
  "share of 300 s",
];
const line = (cells: readonly string[]) => console.log(`| ${cells.join(" | ")} |`);
line(heads);
line(heads.map((_, i) => (i === 0 ? "---" : "---:")));
for (const row of rows)
  line([
    row.network,
    `${row.mebibytes} MiB`,
    ...[row.firstWait, row.wait, row.longestWait, row.writing].map(ms),
    `${(100 * row.share).toFixed(3)} %`,
  ]);
if (given.out !== undefined) {
  const about = { date: new Date().toISOString().slice(0, 10), cpu: cpus()[0]?.model, rounds };
  writeFileSync(given.out, `${JSON.stringify({ ...about, milliseconds: true, rows }, null, 1)}\n`);
}
