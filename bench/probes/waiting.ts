/**
 * Measures how long a training waits for its images: trains a network on a folder of photographs by the library's own step and
 * loader, and times from the end of each step to the moment when the next batch is there, beside the steps themselves. With
 * --network none nothing is trained, and what is told is the memory while an epoch goes by.
 *
 *   npx tsc -p bench && node build/bench/probes/waiting.js --folder PATH [--network resnet18] [--size 128] [--steps 40]
 *     [--batch 64] [--out bench/results/waiting.json]
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { data, models, optim, resolveRecipe, torch } from "lyceum";

const { values: given } = parseArgs({
  options: {
    folder: { type: "string" },
    network: { type: "string", default: "resnet18" },
    size: { type: "string", default: "128" },
    steps: { type: "string", default: "40" },
    batch: { type: "string", default: "64" },
    out: { type: "string" },
  },
});
if (given.folder === undefined) throw new Error("--folder PATH is needed");
const [size, steps, batchSize] = [Number(given.size), Number(given.steps), Number(given.batch)];
const recipe = resolveRecipe({ data: { folder: given.folder, size } });
const started = performance.now();
const { heldOut: _, ...spec } = recipe.data;
const set = await data.loadDataset(spec);
const listed = (performance.now() - started) / 1000;
const { mean, std } = set.normalisation!;
const classes = set.classNames.length;
using loader = new data.Loader(set.train, { batchSize, mean, std, shuffle: true, augment: recipe.augment });
const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);

if (given.network === "none") {
  const memory: number[] = [];
  let images = 0;
  const begun = performance.now();
  for await (const batch of loader.epoch(0)) {
    images += batch.indices.length;
    batch.dispose();
    if (batch.step % Math.ceil(loader.stepsPerEpoch / 20) === 0) memory.push(mebibytes());
  }
  const seconds = (performance.now() - begun) / 1000;
  tell({
    images,
    listedInSeconds: listed,
    seconds,
    imagesPerSecond: images / seconds,
    residentMebibytes: memory,
  });
} else {
  const model = models
    .createModel(given.network, {
      classes,
      channels: 3,
      height: size,
      width: size,
      generator: new torch.Generator(0),
    })
    .to({ memoryFormat: "channelsLast" })
    .train();
  const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.01, momentum: 0.9 });
  let [waited, waitedAtStart, worked, done] = [0, 0, 0, 0];
  for (let epoch = 0; done < steps; epoch++) {
    let before = performance.now();
    for await (const batch of loader.epoch(epoch)) {
      const there = performance.now();
      torch.scope(() => {
        const loss = torch.crossEntropyLoss(model.forward(batch.images), batch.labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      });
      batch.dispose();
      const now = performance.now();
      // The first batch of an epoch has no step before it, beside which it could be made; that too is waiting.
      waited += there - before;
      if (batch.step === 0) waitedAtStart += there - before;
      worked += now - there;
      done++;
      before = now;
      if (done === steps) break;
    }
  }
  tell({
    steps,
    stepsPerEpoch: loader.stepsPerEpoch,
    millisecondsWaited: waited / steps,
    millisecondsWorked: worked / steps,
    shareWaited: waited / (waited + worked),
    shareWaitedWithinEpochs: (waited - waitedAtStart) / (waited - waitedAtStart + worked),
  });
}

function tell(found: Record<string, unknown>): void {
  const result = {
    command: `node build/bench/probes/waiting.js ${process.argv.slice(2).join(" ")}`,
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus()[0]?.model}, ${torch.getNumThreads()} threads`,
    ...found,
  };
  console.log(JSON.stringify(result, null, 2));
  if (given.out) writeFileSync(given.out, `${JSON.stringify(result, null, 2)}\n`);
}
