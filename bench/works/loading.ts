/**
 * Measures what loading costs a training: a ResNet-20 student's steps on the loader's batches, beside steps on one batch that
 * is there already.
 */
import { data, methods, models, nn, optim, torch, training } from "lyceum";
import { interleave, spread } from "../sampling.js";
import type { Loading } from "../work.js";

const batchSize = 128;
const steps = 20;
const classes = 100;

/** Takes epochs in turns and returns medians. Images have CIFAR's shape; crops move them by up to 4 pixels, half are mirrored. */
export async function measureLoading(quick: boolean): Promise<Loading> {
  const set = data.makeSynthetic({
    classes,
    size: 32,
    channels: 3,
    trainCount: steps * batchSize,
    testCount: 100,
  });
  const generator = new torch.Generator(0);
  const make = () =>
    models.createModel("resnet20", { classes, channels: 3, generator }).to({ memoryFormat: "channelsLast" });
  const [teacher, model] = [nn.foldBatchNorm(make().eval()), make().train()];
  const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.01, momentum: 0.9 });
  const objective = training.objectiveOf(
    methods.distillation,
    { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
    { teachers: [teacher] },
  );
  const stepper = training.stepperFor({ model, optimizer, objective, device: "cpu", precision: "float32" });
  const loader = new data.Loader(set.train, {
    ...data.channelStatistics(set.train),
    batchSize,
    shuffle: true,
    augment: { crop: 4, flip: true },
  });
  const waits: number[] = [];
  let epoch = 0;
  const onBatches = async (): Promise<number[]> => {
    const start = performance.now();
    let [waited, last] = [0, start];
    for await (const batch of loader.epoch(epoch++)) {
      waited += performance.now() - last;
      stepper.step(batch);
      batch.dispose();
      last = performance.now();
    }
    waits.push(waited / steps / 1000);
    return [(performance.now() - start) / steps / 1000];
  };
  const kept = await loader.epoch(0).next();
  const onOne = (): number[] => {
    const start = performance.now();
    for (let step = 0; step < steps; step++) stepper.step(kept.value!);
    return [(performance.now() - start) / steps / 1000];
  };
  const [loaded, same] = (await interleave(quick ? 2 : 8, [onBatches, onOne])).map(spread);
  kept.value?.dispose();
  stepper[Symbol.dispose]();
  for (const part of [loader, optimizer, model, teacher]) part.dispose();
  const [step, sameBatch] = [loaded!.median, same!.median];
  return { step, sameBatch, waited: spread(waits).median, share: (step - sameBatch) / step };
}
