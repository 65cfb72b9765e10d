/**
 * The two ways in which a training takes its steps: operator by operator, or as a graph that is recorded
 * once.
 */
import type { StepGraph } from "../torch/index.js";
import * as torch from "../torch/index.js";
import type { Meter } from "./meter.js";
import { descend, type Learner, type TrainingBatch, trainStep } from "./step.js";

export interface Stepper extends Disposable {
  step(batch: TrainingBatch): void;
}

/**
 * Makes a stepper, which takes steps operator by operator unless there is a graph to record a step into.
 *
 * @param graph disposed with the stepper
 * @throws TypeError when there is a graph, but the learner's step cannot be recorded; see {@link canRecord}
 */
export function stepperFor(learner: Learner, meter?: Meter, graph?: StepGraph): Stepper {
  if (graph) return new RecordedStepper(learner, meter, graph);
  return { step: (batch) => trainStep(learner, batch, meter), [Symbol.dispose]: () => {} };
}

/**
 * Tells whether a learner's step can be recorded. It cannot where JavaScript hands a number to an operator in
 * each step, such as the learning rate: the recording would repeat the number that it was made with.
 */
export function canRecord({ optimizer, scaler }: Pick<Learner, "optimizer" | "scaler">): boolean {
  return optimizer.capturable && (!scaler || optimizer.fused);
}

/**
 * The number of steps before one is recorded. PyTorch's documentation advises three, by which all libraries
 * have chosen their algorithms.
 */
const warmUpSteps = 3;

/**
 * Takes steps that are recorded once as a graph, and then replayed with other images.
 *
 * The first few steps run operator by operator, and train the network as any other. So do batches of another
 * size, such as the last of an epoch, and all steps of an objective that depends on the progress. The
 * learning rate is a tensor, to which JavaScript can write between two replays, and the meter's sums stay in
 * one tensor.
 */
class RecordedStepper implements Stepper {
  readonly #learner: Learner;
  readonly #meter: Meter | undefined;
  readonly #graph: StepGraph;
  #warm = 0;
  /** The tensors that the recorded step reads; undefined before it is recorded. */
  #input: TrainingBatch | undefined;

  /** @throws TypeError when the learner's step cannot be recorded; see {@link canRecord} */
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
    // Gradients of the step before lie outside of the graph's memory, and the graph makes its own.
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
