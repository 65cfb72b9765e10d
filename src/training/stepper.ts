/** Ways for a training to take its steps: one by one, or as a graph that is recorded once. */
import type { StepGraph } from "../torch/index.js";
import * as torch from "../torch/index.js";
import type { Meter } from "./meter.js";
import { descend, type Learner, type TrainingBatch, trainStep } from "./step.js";

export interface Stepper extends Disposable {
  step(batch: TrainingBatch): void;
}

/** A stepper that goes one by one, unless there is a graph to record into, which the stepper takes over. */
export function stepperFor(learner: Learner, meter?: Meter, graph?: StepGraph): Stepper {
  if (graph) return new RecordedStepper(learner, meter, graph);
  return { step: (batch) => trainStep(learner, batch, meter), [Symbol.dispose]: () => {} };
}

/** Whether a step can be recorded at all: a number that JavaScript hands over would stay that of the recording. */
export function canRecord({ optimizer, scaler }: Pick<Learner, "optimizer" | "scaler">): boolean {
  return optimizer.capturable && (!scaler || optimizer.fused);
}

/** PyTorch's documentation advises three: by then all libraries have chosen their algorithms. */
const warmUpSteps = 3;

/**
 * Steps that are recorded once, with all that they consist of, and then done again with other images.
 *
 * The first few are taken one by one, so that none is lost to the warming up. So are batches of another size, such as the
 * last of an epoch, and all steps of an objective that depends on the progress. The learning rate is a tensor, and the
 * meter's sums stay where they were.
 */
class RecordedStepper implements Stepper {
  readonly #learner: Learner;
  readonly #meter: Meter | undefined;
  readonly #graph: StepGraph;
  #warm = 0;
  /** The tensors that the recorded step reads; undefined before it is recorded. */
  #input: TrainingBatch | undefined;

  /** @throws TypeError when the learning rate or whether to step at all is not the tensors' business */
  constructor(learner: Learner, meter: Meter | undefined, graph: StepGraph) {
    if (!canRecord(learner))
      throw new TypeError("a recorded step needs a capturable optimiser, a fused one to scale gradients");
    this.#learner = learner;
    this.#meter = meter;
    this.#graph = graph;
  }

  step(batch: TrainingBatch): void {
    if (this.#input && `${this.#input.images.shape}` !== `${batch.images.shape}`) {
      trainStep(this.#learner, batch, this.#meter);
    } else if (this.#learner.objective.dependsOnProgress) {
      this.#graph.warmUp(() => trainStep(this.#learner, batch, this.#meter));
    } else if (this.#warm < warmUpSteps) {
      this.#warm++;
      this.#graph.warmUp(() => trainStep(this.#learner, batch, this.#meter));
    } else {
      this.#input ??= this.#record(batch);
      this.#input.images.copy_(batch.images);
      this.#input.labels.copy_(batch.labels);
      this.#learner.optimizer.prepare();
      this.#graph.replay();
      this.#meter?.addImages(batch.labels.shape[0]!);
    }
  }

  [Symbol.dispose](): void {
    this.#graph.dispose();
    this.#input?.images.dispose();
    this.#input?.labels.dispose();
  }

  #record({ images, labels }: TrainingBatch): TrainingBatch {
    const device = this.#learner.device ?? "cpu";
    const like = (tensor: torch.Tensor) =>
      torch.scope(() => torch.keep(torch.emptyLike(tensor.to({ device }))));
    const input = { images: like(images), labels: like(labels) };
    const { optimizer } = this.#learner;
    optimizer.prepare();
    // The gradients of the last step do not belong to the graph's memory.
    optimizer.zeroGrad();
    try {
      this.#graph.record(() => descend(this.#learner, input, this.#meter));
    } catch (cause) {
      throw new Error(
        `the training step could not be recorded as a graph (${(cause as Error).message}); ` +
          "`kernels: libtorch` trains without one",
        { cause },
      );
    }
    return input;
  }
}
