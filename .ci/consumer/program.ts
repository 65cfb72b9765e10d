/**
 * A program of someone who has installed Lyceum from npm. It uses every entry point, with its types; see
 * ../pack-test.
 */
import assert from "node:assert/strict";
import * as lyceum from "lyceum";
import { evaluateLogits } from "lyceum/analysis";
import { channelStatistics, type Dataset, loadDataset } from "lyceum/data";
import { crossEntropy } from "lyceum/losses";
import { createModel, type ModelOptions } from "lyceum/models";
import { Conv2d, GlobalAvgPool, Linear, Module } from "lyceum/nn";
import { cosine, SGD } from "lyceum/optim";
import { Generator, isTensor, noGrad, scope, Tensor, tensor } from "lyceum/torch";
import { type Precision, trainStep } from "lyceum/training";

// All entry points share one copy of the library: a class of one is the same class of another.
assert.equal(Tensor, lyceum.torch.Tensor);
assert.equal(Conv2d, lyceum.nn.Conv2d);
assert.equal(SGD, lyceum.optim.SGD);
assert.equal(trainStep, lyceum.training.trainStep);

class Net extends Module {
  readonly conv: Conv2d;
  readonly pool = new GlobalAvgPool();
  readonly fc: Linear;

  constructor({ channels, classes, generator }: ModelOptions) {
    super();
    this.conv = new Conv2d(channels, 8, 3, { stride: 2, padding: 1, generator });
    this.fc = new Linear(8, classes, { generator });
  }

  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.pool.forward(this.conv.forward(x).relu()));
  }
}

{
  await using page = await lyceum.watch([], { port: 0 });
  assert.match(await (await fetch(page.url)).text(), /There is no run/);
  // The page's script comes with the package.
  assert.equal((await fetch(new URL("assets/watch.js", page.url))).status, 200);
}

const generator = new Generator(0);
const dataset: Dataset = await loadDataset({
  name: "synthetic",
  classes: 5,
  size: 16,
  limit: { train: 64, test: 20 },
});
const { mean }: { mean: number[] } = channelStatistics(dataset.train);
assert.equal(mean.length, dataset.train.channels);

const options = { classes: 5, channels: dataset.train.channels, generator };
for (const model of [new Net(options), createModel("resnet8", options)]) {
  const { images, channels, height, width, count, labels } = dataset.test;
  const [loss, top1] = scope(() =>
    noGrad(() => {
      const x = tensor(images, { shape: [count, channels, height, width] })
        .to({ dtype: "float32" })
        .div(255);
      const logits = model.eval().forward(x);
      assert.ok(isTensor(logits));
      const result = evaluateLogits(logits, labels, { k: 5 });
      const loss: number = crossEntropy(logits, tensor(labels, { dtype: "int64" })).item();
      return [loss, result.top1];
    }),
  );
  assert.ok(Number.isFinite(loss) && top1 >= 0 && top1 <= 1);
}

const precision: Precision = "float32";
const run: lyceum.RunResult = await lyceum.trainGenerations(
  { data: { name: "synthetic", classes: 5, size: 16 }, epochs: 1, generations: 2, precision },
  { dataset, model: (given) => new Net(given) },
);
assert.equal(run.generations.length, 2);
assert.equal(typeof cosine({ learningRate: 0.1, totalSteps: 10 })(0), "number");
console.log("the installed package trains:", run.generations.map(({ role }) => role).join(", "));
