/**
 * Measures what a training step costs by each method, beside a step of plain training (`strict`): all methods in one run and
 * in turns, on a ResNet-20, 128 random images of 32x32 and 100 classes, with the options that a recipe has by default. A
 * method with teachers is measured as in generation 2, for which two earlier ones are there, and one with a snapshot once it
 * has been taken. The ratios are those of medians.
 *
 *   npx tsc -p bench && node build/bench/probes/method-steps.js [--rounds 40] [--out bench/results/method-steps.json]
 *
 * docs/methods.md takes its last column from bench/results/method-steps.json (`npm run generate`).
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { methods, models, nn, optim, resolveRecipe, torch, training } from "lyceum";
import { interleave, spread } from "../sampling.js";

const { values: given } = parseArgs({
  options: { rounds: { type: "string", default: "40" }, out: { type: "string" } },
});
const rounds = Number(given.rounds);
if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error("--rounds must be a whole number from 1 on");
const [network, batchSize, classes, stepsPerTurn, generation] = ["resnet20", 128, 100, 3, 2] as const;

const generator = new torch.Generator(0);
const make = () =>
  models.createModel(network, { classes, channels: 3, generator }).to({ memoryFormat: "channelsLast" });
const student = make();
/** Makes ready to train a network, whose weights hardly move, so that all methods take their steps from the same place. */
const trained = (model: nn.Module) => ({
  model: model.train(),
  optimizer: new optim.SGD(model.parameters(), { learningRate: 1e-6, momentum: 0.9, weightDecay: 1e-4 }),
});
const earlier = Array.from({ length: generation }, () => {
  const teacher = make();
  // A forward pass in training gives statistics that folding cannot ignore.
  torch.scope(() =>
    torch.noGrad(() => teacher.train().forward(torch.randn([batchSize, 3, 32, 32], { generator }))),
  );
  return nn.foldBatchNorm(teacher);
});
const batch = {
  images: torch.keep(torch.randn([batchSize, 3, 32, 32], { generator }).contiguous("channelsLast")),
  labels: torch.keep(torch.randint(0, classes, [batchSize], { generator, dtype: "int64" })),
};

/** Gives a function that takes some steps by a method, and the seconds that one of them took. */
function turnsOf(method: methods.Method): () => number[] {
  const { student: chosen } = resolveRecipe({ data: "cifar100", generations: 3, student: method.name });
  const { method: _, ...written } = chosen;
  const options = methods.optionsAt(method, written, { generation, generations: generation + 1 });
  const teachers = methods.teachersOf(method, generation, options).map((teacher) => earlier[teacher]!);
  const snapshot = method.snapshot && { network: earlier[0] };
  const objective = training.objectiveOf(method, options, { teachers, snapshot, generation, classes });
  const peers = Array.from({ length: methods.peersOf(method, options) }, () => trained(make()));
  const learner = { ...trained(student), objective, peers };
  let steps = 0;
  return () => {
    const start = performance.now();
    for (let step = 0; step < stepsPerTurn; step++) {
      objective.progress = (steps++ % 1000) / 1000;
      training.trainStep(learner, batch);
    }
    return [(performance.now() - start) / 1000 / stepsPerTurn];
  };
}

const all = methods.methods as readonly unknown[] as methods.Method[];
const sides = all.flatMap((method) => {
  try {
    return [{ name: method.name, turn: turnsOf(method) }];
  } catch (error) {
    console.log(`${method.name} is left out: ${(error as Error).message}`);
    return [];
  }
});
const samples = await interleave(
  rounds,
  sides.map(({ turn }) => turn),
);
const medians = new Map(sides.map(({ name }, i) => [name, spread(samples[i]!).median]));
const plain = medians.get("strict")!;
const ratios: Record<string, number> = {};
for (const [name, seconds] of medians) {
  ratios[name] = Number((seconds / plain).toFixed(3));
  console.log(`${name.padEnd(28)} ${(seconds * 1000).toFixed(1)} ms, ${ratios[name]} times strict`);
}
if (given.out) {
  const result = {
    command: `node build/bench/probes/method-steps.js --rounds ${rounds}`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model ?? "unknown"}, ${torch.getNumThreads()} threads`,
    what: `${network}, ${batchSize} images of 32x32, ${classes} classes; medians of ${rounds} rounds`,
    ratios,
  };
  writeFileSync(given.out, `${JSON.stringify(result, null, 2)}\n`);
}
