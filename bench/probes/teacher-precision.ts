/**
 * Finds what a teacher of less precision does to its student: a teacher in float32, in bfloat16, and in 8 bits a number. The
 * last is simulated in float32: weights are rounded to 255 levels for each output channel, inputs of convolutions to 255 for
 * the whole layer, by the largest value of the first batch. ResNet-8 is trained on 12,000 images of Fashion-MNIST with the
 * quickstart's settings and evaluated on 10,000 other training images; the test set is not read.
 *
 *   npx tsc -p bench && node build/bench/probes/teacher-precision.js
 */
import { data, losses, methods, models, nn, optim, torch, training } from "lyceum";

const [trained, judged, batchSize, epochs] = [12_000, 10_000, 64, 6];
const kinds = ["float32", "bfloat16", "int8"] as const;
type Kind = (typeof kinds)[number];

const { train: whole, classNames } = await data.loadDataset({ name: "fashion-mnist" });
const chosen = data.subset(whole, data.stratifiedSample(whole.labels, trained + judged, 0));
const split = data.splitHeldOut(chosen, { fraction: judged / (trained + judged), seed: 0 });
const statistics = data.channelStatistics(chosen, split.train);

const make = (seed: number) =>
  models
    .createModel("resnet8", { classes: classNames.length, channels: 1, generator: new torch.Generator(seed) })
    .to({ memoryFormat: "channelsLast" });

async function trainOne(model: nn.Module, objective: training.Objective, seed: number): Promise<void> {
  const loader = new data.Loader(chosen, {
    ...statistics,
    indices: split.train,
    batchSize,
    seed,
    shuffle: true,
    augment: { crop: 0, flip: true },
    dropLast: true,
  });
  const optimizer = new optim.SGD(model.train().parameters(), {
    learningRate: 0.2,
    momentum: 0.9,
    weightDecay: 1e-4,
  });
  const schedule = optim.oneCycle({ learningRate: 0.2, totalSteps: epochs * loader.stepsPerEpoch });
  await training.trainNetwork({ model, optimizer, objective }, { loader, epochs, schedule });
  optimizer.dispose();
  loader.dispose();
}

/** The percentage of the held-out images whose best class is the label. */
async function top1(model: nn.Module): Promise<number> {
  const loader = new data.Loader(chosen, { ...statistics, indices: split.heldOut, batchSize: 256 });
  const { logits, labels } = await training.predict(model, loader);
  loader.dispose();
  return torch.scope(() => {
    const right = logits.argmax(1).eq(torch.tensor(labels, { dtype: "int64" }));
    return 100 * right.to({ dtype: "float32" }).mean().item();
  });
}

/** Rounds to 255 levels of equal distance, the outermost at ±largest; `largest` has one value for each first index, or one. */
function rounded(x: torch.Tensor, largest: torch.Tensor): torch.Tensor {
  const step = largest.div(127).clampMin(1e-12);
  return x.div(step).round().clamp(-127, 127).mul(step);
}

/** Rounds the weights now, and the input of each layer whenever it is called. */
function roundToInt8(frozen: nn.Module): void {
  for (const layer of frozen.namedModules().values()) {
    if (!(layer instanceof nn.Conv2d || layer instanceof nn.Linear)) continue;
    torch.noGrad(() =>
      torch.scope(() => {
        const flat = layer.weight.abs().flatten(1);
        const largest = flat.amax([1], true).reshape([-1, ...layer.weight.shape.slice(1).map(() => 1)]);
        layer.weight.copy_(rounded(layer.weight, largest));
      }),
    );
    const forward = layer.forward.bind(layer);
    let largest: torch.Tensor | undefined;
    layer.forward = (x: torch.Tensor) => {
      largest ??= torch.keep(x.abs().amax());
      return forward(rounded(x, largest));
    };
  }
}

/** The frozen patriarch, computed in some precision; its logits are float32. */
class Teacher extends nn.Module {
  readonly frozen: nn.Module;
  private readonly kind: Kind;

  constructor(frozen: nn.Module, kind: Kind) {
    super();
    this.frozen = frozen;
    this.kind = kind;
    if (kind === "int8") roundToInt8(frozen);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    if (this.kind !== "int8") return this.frozen.forward(x.to({ dtype: this.kind })).to({ dtype: "float32" });
    // libtorch's kernels go layer by layer, so that each layer's input can be rounded.
    nn.setKernels("libtorch");
    try {
      return this.frozen.forward(x);
    } finally {
      nn.setKernels("fast");
    }
  }
}

const found = new Map<string, number[]>();
const note = (name: string, value: number) => found.set(name, [...(found.get(name) ?? []), value]);

for (const seed of [0, 1, 2]) {
  const patriarch = make(2 * seed);
  const hardWeight = losses.toleranceToHardWeight({ k: 3, primaryScore: 0.9 });
  await trainOne(patriarch, training.objectiveOf(methods.topScoreDifference, { hardWeight, k: 3 }), seed);
  const weights = [...patriarch.namedParameters(), ...patriarch.namedBuffers()];
  for (const kind of kinds) {
    const copy = make(0);
    const tensors = new Map([...copy.namedParameters(), ...copy.namedBuffers()]);
    torch.noGrad(() => weights.forEach(([name, tensor]) => void tensors.get(name)!.copy_(tensor)));
    const teacher = new Teacher(nn.foldBatchNorm(copy.eval()), kind);
    note(`patriarch in ${kind}`, await top1(teacher));
    const student = make(2 * seed + 1);
    await trainOne(
      student,
      training.objectiveOf(
        methods.distillation,
        { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
        { teachers: [teacher] },
      ),
      seed + 100,
    );
    note(`its student, taught in ${kind}`, await top1(student));
    for (const [name, values] of found)
      console.log(name.padEnd(32), values.map((v) => v.toFixed(2)).join(" "));
    console.log();
  }
}
