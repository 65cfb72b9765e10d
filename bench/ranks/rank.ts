/**
 * A process of Lyceum in `npm run bench -- ranks`: one of several ranks, or alone. It answers requests as lines of JSON;
 * `peer/ranks.py` is its counterpart in PyTorch.
 */
import { createInterface } from "node:readline";
import { distributed, methods, models, type nn, optim, torch, training } from "lyceum";

interface Batch {
  images: torch.Tensor;
  labels: torch.Tensor;
  part?: NonNullable<training.TrainingBatch["part"]>;
}

/**
 * How a turn takes its steps: `train` as `lyceum train` does, `alone` without the other ranks, each with its own images, and
 * `sums` as `train` but by hand, to time what the summing of gradients takes.
 */
type Mode = "train" | "alone" | "sums";

/** What a turn came to; all lists have an entry a step. */
interface Turn {
  seconds: number[];
  losses: number[];
  /** With `sums`: seconds of the buckets' waiting and summing, and what backward did not hide. */
  summing: number[];
  exposed: number[];
}

const environment = distributed.groupFromEnvironment();
const group = environment && (await distributed.joinGroup(environment, { timeoutSeconds: 120 }));
const share = 1 / (group?.size ?? 1);

class Scene {
  readonly #model: nn.Module;
  readonly #batches: Batch[];
  readonly #optimizer: optim.SGD;
  readonly #loss = torch.keep(torch.zeros([]));
  readonly #together: training.Stepper;
  readonly #alone: training.Stepper;
  readonly #averager: distributed.GradientAverager | undefined;
  #done = 0;

  constructor({ model, classes, weights, data, learningRate }: Prepare) {
    const generator = new torch.Generator(0);
    this.#model = models
      .createModel(model, { classes, channels: 3, generator })
      .to({ memoryFormat: "channelsLast" })
      .train();
    this.#model.loadStateDict(torch.loadSafetensors(weights).tensors);
    this.#batches = torch.scope(() => batchesIn(data));
    this.#optimizer = new optim.SGD(this.#model.parameters(), {
      ...{ learningRate, momentum: 0.9, weightDecay: 1e-4 },
    });
    const objective = training.objectiveOf(methods.strict, {});
    const watched: training.Objective = {
      ...objective,
      losses: (...given) => {
        const found = objective.losses(...given);
        this.#note(found.loss);
        return found;
      },
    };
    const learner = { model: this.#model, optimizer: this.#optimizer, objective: watched };
    this.#alone = training.stepperFor(learner);
    this.#together = group
      ? training.stepperFor({ ...learner, ranks: new training.Ranks(group) })
      : this.#alone;
    this.#averager = group?.averager(this.#model.parameters());
  }

  #note(loss: torch.Tensor): void {
    torch.noGrad(() => void this.#loss.copy_(loss));
  }

  async run(mode: Mode, steps: number): Promise<Turn> {
    const turn: Turn = { seconds: [], losses: [], summing: [], exposed: [] };
    await group?.barrier();
    for (let step = 0; step < steps; step++) {
      const batch = this.#batches[this.#done++ % this.#batches.length]!;
      const start = performance.now();
      if (mode === "sums") {
        const round = await this.#sum(batch);
        turn.summing.push(round.waitingSeconds + round.communicationSeconds);
        turn.exposed.push(round.exposedSeconds);
      } else if (mode === "train") await this.#together.step(batch);
      else await this.#alone.step({ images: batch.images, labels: batch.labels });
      turn.losses.push(this.#loss.item());
      turn.seconds.push((performance.now() - start) / 1000);
    }
    return turn;
  }

  async #sum({ images, labels }: Batch): Promise<distributed.AveragedRound> {
    const averager = this.#averager!;
    this.#optimizer.zeroGrad();
    torch.scope(() => {
      const loss = torch.crossEntropyLoss(this.#model.forward(images), labels);
      this.#note(loss);
      averager.begin();
      loss.mul(share).backward();
    });
    const round = await averager.finish();
    torch.scope(() => this.#optimizer.step());
    return round;
  }

  [Symbol.dispose](): void {
    this.#averager?.[Symbol.dispose]();
    for (const stepper of new Set([this.#together, this.#alone])) stepper[Symbol.dispose]();
    for (const { images, labels } of this.#batches) for (const each of [images, labels]) each.dispose();
    for (const each of [this.#optimizer, this.#loss, this.#model]) each.dispose();
  }
}

/** Reads this rank's part of each batch. */
function batchesIn(path: string): Batch[] {
  const { images, labels } = torch.loadSafetensors(path).tensors as Record<"images" | "labels", torch.Tensor>;
  const [count, whole] = images.shape as [number, number];
  const length = whole * share;
  const start = (group?.rank ?? 0) * length;
  return Array.from({ length: count }, (_, i) => ({
    images: torch.keep(images.select(0, i).narrow(0, start, length).clone().contiguous("channelsLast")),
    labels: torch.keep(labels.select(0, i).narrow(0, start, length).clone()),
    ...(group && { part: { start, of: whole, least: length, share } }),
  }));
}

interface Prepare {
  model: string;
  classes: number;
  /** Files of safetensors: the first weights, and images [batches, N, 3, H, W] with labels [batches, N]. */
  weights: string;
  data: string;
  learningRate: number;
}

/** Times all-reduces of so many bytes. */
async function allReduce(bytes: number, times: number): Promise<{ seconds: number[] }> {
  const tensor = torch.keep(torch.zeros([bytes / 4]));
  const seconds: number[] = [];
  for (let i = 0; i <= times; i++) {
    const start = performance.now();
    await group!.allReduce(tensor);
    // The first one is not counted: its memory is fresh.
    if (i > 0) seconds.push((performance.now() - start) / 1000);
  }
  tensor.dispose();
  return { seconds };
}

let scene: Scene | undefined;

async function answer(request: { do: string } & Record<string, unknown>): Promise<object> {
  switch (request.do) {
    case "hello":
      return { version: torch.version(), threads: torch.getNumThreads() };
    case "prepare": {
      // The last scene must be freed first, or both are in memory.
      scene?.[Symbol.dispose]();
      const asked = request as unknown as Prepare;
      scene = new Scene(asked);
      return {};
    }
    case "run":
      return await scene!.run(request.mode as Mode, request.steps as number);
    case "all-reduce":
      return await allReduce(request.bytes as number, request.times as number);
    default:
      return { error: `unknown request ${request.do}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const found = await answer(JSON.parse(line)).catch((error: Error) => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
await group?.leave();
