/**
 * Measures the resident memory of a student's training by the recipes for CIFAR-100: the table of docs/networks.md. For each
 * recipe and batch size a process of its own takes two steps with a frozen teacher, on random images of 32x32, and reports the
 * most memory that it had. Batches double up to the recipe's own, as long as the next is expected to stay below the limit.
 *
 *   npx tsc -p bench && node build/bench/probes/memory.js [--limit MIB] [--parts N] [RECIPE...]
 *
 * With --parts N, the recipe's own batch is computed in N parts, as `accumulate: N` does. Without a recipe: all that train on CIFAR-100. The limit is 8192 MiB where none is given; a process above it is stopped.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadRecipe, methods, models, nn, optim, torch, training } from "lyceum";

const { values, positionals } = parseArgs({
  options: {
    limit: { type: "string", default: "8192" },
    batch: { type: "string" },
    parts: { type: "string" },
  },
  allowPositionals: true,
});
const limit = Number(values.limit);
const parts = values.parts === undefined ? undefined : Number(values.parts);

const partsFlag = parts === undefined ? [] : ["--parts", String(parts)];

/** A figure in MiB of /proc/PID/status: VmRSS is the resident memory, VmHWM its highest value so far. */
function memoryOf(pid: number | "self", field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
}

/** Takes two steps of a student, and prints the highest resident memory. */
async function takeSteps(name: string, batch: number): Promise<void> {
  const recipe = await loadRecipe(name);
  const generator = new torch.Generator(0);
  const make = () =>
    models
      .createModel(recipe.model, { classes: 100, channels: 3, generator })
      .to({ memoryFormat: "channelsLast" });
  const model = make().train();
  const { learningRate, momentum, nesterov, weightDecay } = recipe.optimizer as unknown as Record<
    "learningRate" | "momentum" | "weightDecay",
    number
  > & { nesterov: boolean };
  const optimizer = new optim.SGD(model.parameters(), { learningRate, momentum, nesterov, weightDecay });
  const options = { hardWeight: 0.6, softWeight: 0.4, temperature: 1 };
  const objective = training.objectiveOf(methods.distillation, options, {
    teachers: [nn.foldBatchNorm(make())],
  });
  const images = torch.randn([batch, 3, 32, 32], { generator }).contiguous("channelsLast");
  const labels = torch.randint(0, 100, [batch], { generator, dtype: "int64" });
  for (let step = 0; step < 2; step++)
    training.trainStep({ model, optimizer, objective, accumulate: parts }, { images, labels });
  console.log(memoryOf("self", "VmHWM"));
}

/** Gives the highest resident memory of a batch size in MiB; undefined where the process went above the limit. */
function measure(name: string, batch: number): Promise<number | undefined> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), "--batch", String(batch), ...partsFlag, name],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  const watch = setInterval(() => {
    try {
      if (memoryOf(child.pid!, "VmRSS") > limit) child.kill("SIGKILL");
    } catch {
      // The process has ended between two looks.
    }
  }, 20);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearInterval(watch);
      if (signal === "SIGKILL") resolve(undefined);
      else if (code === 0) resolve(Number(output));
      else reject(new Error(`${name}: the process of batch ${batch} ended with ${code ?? signal}`));
    });
  });
}

/** Measures a recipe's own batch in parts. */
async function measureParts(name: string): Promise<void> {
  const { batchSize } = await loadRecipe(name);
  const peak = await measure(name, batchSize);
  const words = peak === undefined ? `above ${limit} MiB` : `${Math.round(peak)} MiB`;
  console.log(`${name}: a batch of ${batchSize} in ${parts} parts: ${words}`);
}

/** Measures batches of 4, 8, 16 and so on, up to the recipe's own. */
async function measureRecipe(name: string): Promise<void> {
  const { batchSize } = await loadRecipe(name);
  const found: [batch: number, peak: number][] = [];
  for (let batch = 4; batch <= batchSize; batch *= 2) {
    const [before, last] = found.slice(-2);
    if (before && last) {
      const expected = last[1] + ((last[1] - before[1]) / (last[0] - before[0])) * (batch - last[0]);
      if (expected > limit) break;
    }
    const peak = await measure(name, batch);
    if (peak === undefined) break;
    found.push([batch, peak]);
  }
  const peaks = found.map(([batch, peak]) => `${batch}: ${Math.round(peak)}`).join(", ");
  const [before, last] = found.slice(-2) as [[number, number], [number, number]];
  const perImage = (last[1] - before[1]) / (last[0] - before[0]);
  console.log(`${name}: peak MiB by batch ${peaks}; ${perImage.toFixed(1)} MiB for each further image`);
}

if (values.batch) {
  await takeSteps(positionals[0]!, Number(values.batch));
} else {
  const folder = fileURLToPath(new URL("../../../recipes/", import.meta.url));
  const all = readdirSync(folder).flatMap((file) => /^(cifar100-.*)\.yaml$/.exec(file)?.[1] ?? []);
  for (const name of positionals.length > 0 ? positionals : all.sort())
    await (parts === undefined ? measureRecipe(name) : measureParts(name));
}
