/**
 * Measures how much of the summing of gradients over ranks a backward pass hides: training steps (forward, backward, sum; no
 * update) of a network on 2 processes with one thread each, with buckets of several sizes in turns, beside steps that sum
 * nothing. `exposed` is the time from the end of backward until all sums are there; `waiting` and `summing` add up over the
 * buckets, and overlap with backward where they can. Medians over rounds, of rank 0.
 *
 *   npx tsc -p bench && node build/bench/probes/overlap.js [--network resnet20] [--batch 64] [--size 32] [--rounds 10]
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { distributed, losses, models, torch } from "lyceum";
import { interleave, spread } from "../sampling.js";

const { values: given } = parseArgs({
  options: {
    network: { type: "string", default: "resnet20" },
    batch: { type: "string", default: "64" },
    size: { type: "string", default: "32" },
    rounds: { type: "string", default: "10" },
    processes: { type: "string", default: "2" },
  },
});
const [batch, size, rounds] = [Number(given.batch), Number(given.size), Number(given.rounds)];
const bucketSizes = [2 ** 18, 2 ** 20, 2 ** 22, 25 * 2 ** 20];

async function asRank(environment: distributed.RankEnvironment): Promise<void> {
  await using group = await distributed.joinGroup(environment);
  const generator = new torch.Generator(0);
  const model = models
    .createModel(given.network, { classes: 100, channels: 3, generator })
    .to({ memoryFormat: "channelsLast" })
    .train();
  const images = torch.randn([batch, 3, size, size], { generator }).contiguous("channelsLast");
  const labels = torch.randint(0, 100, [batch], { generator, dtype: "int64" });
  const parameters = model.parameters();
  const pass = () =>
    torch.scope(() => {
      for (const parameter of parameters) parameter.grad = undefined;
      losses.crossEntropy(model.forward(images), labels).backward();
    });
  const sides = [
    () => {
      const start = performance.now();
      pass();
      return [[(performance.now() - start) / 1000, 0, 0, 0]];
    },
    ...bucketSizes.map((bucketBytes) => {
      const averager = group.averager(parameters, { bucketBytes });
      return async () => {
        const start = performance.now();
        averager.begin();
        pass();
        const round = await averager.finish();
        const seconds = (performance.now() - start) / 1000;
        return [[seconds, round.waitingSeconds, round.communicationSeconds, round.exposedSeconds]];
      };
    }),
  ];
  // Samples are rows of four numbers.
  const samples = (await interleave(rounds, sides as never)) as unknown as number[][][];
  if (group.rank > 0) return;
  const bytes = parameters.reduce((sum, { numel }) => sum + 4 * numel, 0);
  console.log(
    `${given.network}, ${batch} images of ${size}x${size} a rank, ${(bytes / 1e6).toFixed(1)} MB of gradients, ` +
      `${group.size} processes of ${torch.getNumThreads()} thread, ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`,
  );
  for (const [i, rows] of samples.entries()) {
    const [step, waiting, summing, exposed] = [0, 1, 2, 3].map((column) =>
      (spread(rows.map((row) => row[column]!)).median * 1000).toFixed(1),
    );
    const name = i === 0 ? "no sums" : `buckets of ${bucketSizes[i - 1]! / 2 ** 20} MiB`;
    console.log(
      `${name.padEnd(22)} step ${step} ms, waiting ${waiting}, summing ${summing}, exposed ${exposed}`,
    );
  }
}

const environment = distributed.groupFromEnvironment();
if (environment) await asRank(environment);
else process.exitCode = (await distributed.launch({ processes: Number(given.processes), threads: 2 })).code;
