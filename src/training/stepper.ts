/**
 * The ways in which a training takes its steps: operator by operator, as a graph that is recorded once, or together with
 * other processes.
 */
import type { StepGraph } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { dropoutsOf } from "./dropout-counts.js";
import type { Meter } from "./meter.js";
import { RankStepper } from "./rank-stepper.js";
import { descend, type Learner, networksOf, type TrainingBatch, trainStep } from "./step.js";

export interface Stepper extends Disposable {
  step(batch: TrainingBatch): Promise<void> | void;
}

/**
 * Makes a stepper, which takes steps operator by operator unless there is a graph to record a step into. With other
 * processes, steps are not recorded.
 *
 * @param graph disposed with the stepper
 * @throws TypeError when there is a graph, but the learner's step cannot be recorded; see {@link canRecord}
 */
export function stepperFor(learner: Learner, meter?: Meter, graph?: StepGraph): Stepper {
  if (learner.ranks) return new RankStepper(learner, learner.ranks, meter);
  if (graph) return new RecordedStepper(learner, meter, graph);
  return { step: (batch) => trainStep(learner, batch, meter), [Symbol.dispose]: () => {} };
}

/**
 * Tells whether a learner's step can be recorded. It cannot where JavaScript hands a number to an operator in
 * each step, such as the learning rate or the seed of dropout: the recording would repeat the number that it was made with.
 */
export function canRecord(learner: Learner): boolean {
  const { optimizer, scaler } = learner;
  if (learner.ranks || networksOf(learner).some(({ model }) => dropoutsOf(model).length > 0)) return false;
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
 * The first few steps run operator by operator, and train the network as any other. So do batches of another size,
 * such as the last of an epoch, batches of which only some are mixed, and all steps of an objective that depends on
 * the progress. The learning rate is a tensor, to which JavaScript can write between two replays, and the meter's
 * sums stay in one tensor.
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
      throw new TypeError(
        "a recorded step needs a capturable optimiser, a fused one to scale gradients, and a network without dropout, in one process",
      );
    this.#learner = learner;
    this.#meter = meter;
    this.#graph = graph;
  }

  step(batch: TrainingBatch): void {
    if (this.#input && !isAlike(this.#input, batch)) {
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
      if (this.#input.mix && batch.mix) {
        this.#input.mix.otherLabels.copy_(batch.mix.otherLabels);
        this.#input.mix.weight.copy_(batch.mix.weight);
      }
      this.#learner.optimizer.prepare();
      this.#graph.replay();
      this.#meter?.addImages(batch.labels.shape[0]!);
    }
  }

  [Symbol.dispose](): void {
    this.#graph.dispose();
    this.#input?.images.dispose();
    this.#input?.labels.dispose();
    this.#input?.mix?.otherLabels.dispose();
    this.#input?.mix?.weight.dispose();
  }

  #record({ images, labels, mix }: TrainingBatch): TrainingBatch {
    const device = this.#learner.device ?? "cpu";
    const like = (tensor: torch.Tensor) =>
      torch.scope(() => torch.keep(torch.emptyLike(tensor.to({ device }))));
    const input = {
      images: like(images),
      labels: like(labels),
      ...(mix && { mix: { otherLabels: like(mix.otherLabels), weight: like(mix.weight) } }),
    };
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

/** Tells whether a recorded step can take a batch in the place of the one with which it was recorded. */
function isAlike(recorded: TrainingBatch, { images, mix }: TrainingBatch): boolean {
  return `${recorded.images.shape}` === `${images.shape}` && !recorded.mix === !mix;
}
