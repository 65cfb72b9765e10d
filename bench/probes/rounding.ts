/**
 * Finds how far rounding carries a training run: trains a ResNet-20 student for 100 steps with each choice of kernels, from
 * the same weights and on the same batches of Fashion-MNIST, and compares the losses with those of libtorch's operators.
 *
 *   tsc -p bench && node build/bench/probes/rounding.js [learning rate]
 */
import { data, methods, models, nn, optim, torch, training } from "lyceum";

const learningRate = Number(process.argv[2] ?? 0.01);
const set = await data.loadDataset({ name: "fashion-mnist", limit: { train: 12_800 } });
const { mean, std } = data.channelStatistics(set.train);

async function lossesWith(kernels: nn.Kernels): Promise<number[]> {
  nn.setKernels(kernels);
  const generator = new torch.Generator(0);
  const make = () =>
    models
      .createModel("resnet20", { classes: 10, channels: 1, generator })
      .to({ memoryFormat: "channelsLast" });
  const teacher = nn.foldBatchNorm(make());
  const model = make().train();
  const optimizer = new optim.SGD(model.parameters(), { learningRate, momentum: 0.9, weightDecay: 1e-4 });
  const objective = training.objectiveOf(
    methods.distillation,
    { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
    { teachers: [teacher] },
  );
  const found: number[] = [];
  const noting: training.Objective = {
    ...objective,
    losses: (...given) => {
      const losses = objective.losses(...given);
      found.push(losses.loss.item());
      return losses;
    },
  };
  const loader = new data.Loader(set.train, { mean, std, batchSize: 128, seed: 0, shuffle: true });
  for await (const batch of loader.epoch(0)) {
    training.trainStep({ model, optimizer, objective: noting }, batch);
    batch.dispose();
  }
  loader.dispose();
  return found;
}

const expected = await lossesWith("libtorch");
const threads = torch.getNumThreads();
for (const kernels of ["exact", "fast", "libtorch"] as const) {
  // libtorch on one thread sums in another order: the difference shows what rounding alone does.
  torch.setNumThreads(kernels === "libtorch" ? 1 : threads);
  const found = await lossesWith(kernels);
  const away = found.map((loss, step) => Math.abs(loss - expected[step]!));
  const at = (step: number) => `${away[step - 1]!.toExponential(1)} (loss ${expected[step - 1]!.toFixed(4)})`;
  console.log(
    `${kernels}, ${torch.getNumThreads()} threads: after 1 step ${at(1)}, 10 ${at(10)}, 50 ${at(50)}, 100 ${at(100)}`,
  );
}
