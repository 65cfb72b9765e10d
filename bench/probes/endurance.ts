/**
 * Trains for a long time in one process, with every feature on, and samples what must not grow: resident memory, V8's heap,
 * tensors, open files, listeners; and the processor's time a step. One line of four generations after the other, each in a new
 * folder, so that all that is made for a line is also freed again.
 *
 *   npx tsc -p bench && node build/bench/probes/endurance.js [--minutes 120] [--every 10] [--out bench/results/endurance.json]
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ProgressEvent, torch, trainGenerations } from "lyceum";

const { values: given } = parseArgs({
  options: {
    minutes: { type: "string", default: "120" },
    every: { type: "string", default: "10" },
    out: { type: "string" },
  },
});
const [minutes, every] = [Number(given.minutes), Number(given.every)];

const recipe = {
  data: { name: "synthetic", classes: 10, size: 32, trainCount: 1280, testCount: 256, heldOut: 0.2 },
  model: "resnet8",
  patriarch: { k: 5, primaryScore: 0.8 },
  student: { method: "mean-of-teachers", hardWeight: 0.5, softWeight: 0.5 },
  generations: 4,
  epochs: 4,
  batchSize: 64,
  accumulate: 2,
  clipNorm: 5,
  averageWeights: { decay: 0.99 },
  augment: {
    policy: "randaugment",
    crop: 4,
    flip: true,
    erase: { probability: 0.5 },
    mixup: { probability: 0.5 },
    cutmix: { probability: 0.5 },
  },
  checkpointEvery: 2,
  notFinite: { skip: 10, goBack: 2 },
} as const;

interface Sample {
  minutes: number;
  /** MiB. */
  resident: number;
  heap: number;
  external: number;
  /** Tensors that JavaScript holds. */
  tensors: number;
  /** Open files of the process. */
  files: number;
  /** Listeners on the process and its outputs. */
  listeners: number;
  /** Steps of training since the sample before, and the processor's milliseconds for each, all threads together. */
  steps: number;
  cpuMillisecondsPerStep: number;
  lines: number;
}

const root = mkdtempSync(join(tmpdir(), "lyceum-endurance-"));
const began = performance.now();
const samples: Sample[] = [];
const passed = () => (performance.now() - began) / 60_000;
let [steps, lines] = [0, 0];
let before = { cpu: process.cpuUsage(), steps: 0 };

function sample(): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  const cpu = process.cpuUsage(before.cpu);
  const done = steps - before.steps;
  const emitters = [process, process.stdout, process.stderr];
  samples.push({
    minutes: rounded(passed()),
    resident: rounded(rss / 2 ** 20),
    heap: rounded(heapUsed / 2 ** 20),
    external: rounded(external / 2 ** 20),
    tensors: torch.memoryStats().tensors,
    files: readdirSync("/proc/self/fd").length,
    listeners: emitters.reduce((sum, each) => {
      const names = each.eventNames() as string[];
      return sum + names.reduce((count, name) => count + each.listenerCount(name), 0);
    }, 0),
    steps,
    cpuMillisecondsPerStep: rounded((cpu.user + cpu.system) / 1000 / Math.max(1, done)),
    lines,
  });
  before = { cpu: process.cpuUsage(), steps };
  if (given.out !== undefined) write();
  console.log(JSON.stringify(samples.at(-1)));
}

const rounded = (value: number) => Math.round(value * 10) / 10;

function write(): void {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model,
    threads: torch.getNumThreads(),
    isa: torch.isa(),
    command: `node build/bench/probes/endurance.js --minutes ${minutes} --every ${every}`,
    recipe,
  };
  writeFileSync(given.out!, `${JSON.stringify({ ...about, samples }, null, 1)}\n`);
}

let due = every / 60;
const onProgress = (event: ProgressEvent) => {
  if (event.type === "epoch") steps += Math.ceil((1280 * 0.8) / 64);
  // A sample is taken at the same place of every line, since memory goes up and down within one.
  if (event.type !== "end" || passed() < due) return;
  due = passed() + every / 60;
  sample();
};
try {
  while (passed() < minutes) {
    const directory = join(root, "run");
    await trainGenerations({ ...recipe, seed: lines }, { directory, onProgress });
    rmSync(directory, { recursive: true });
    lines++;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
