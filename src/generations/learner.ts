/**
 * Makes a learner of a recipe: the network with its optimiser and everything else that has a state in its
 * training.
 */
import { peersOf } from "../methods/index.js";
import type { Module, Parameter } from "../nn/index.js";
import {
  AveragedWeights,
  GradScaler,
  GroupedOptimizer,
  type Optimizer,
  type Schedule,
} from "../optim/index.js";
import { type FineTune, type Library, optionsOf, type Recipe } from "../recipe/index.js";
import { CudaGraph, type Device, hasCudaGraphs } from "../torch/index.js";
import { canRecord, type Learner, objectiveOf, Snapshot } from "../training/index.js";
import { type Experiment, epochsOf, freshModel, methodOf } from "./experiment.js";
import { headOf } from "./head.js";
import { rateGroups } from "./layer-rates.js";
import { Renormalised } from "./normalisation.js";

/** A learner that owns its parts. Disposing of it frees all of them but the network. */
export type OwnedLearner = Learner & Disposable;

/**
 * Makes the learner that a recipe asks for in a generation.
 *
 * @param model the generation's network
 * @param teachers the frozen networks that teach it, which the caller owns
 */
export function createLearner(
  experiment: Omit<Experiment, "folder">,
  generation: number,
  model: Module,
  teachers: readonly Module[],
): OwnedLearner {
  const { recipe, library, images, ranks } = experiment;
  const { method, options } = methodOf(experiment, generation);
  const { generations } = recipe;
  const snapshot = snapshotFor(experiment, generation, model);
  const trained = (network: Module, optimizer: Optimizer) => ({
    model: network,
    optimizer,
    scaler: scalerFor(recipe),
  });
  const fineTune = generation === 0 ? recipe.fineTune : undefined;
  const own = trained(
    model,
    fineTune ? layerWiseOptimizer(experiment, model, fineTune) : optimizerFor(recipe, library, model),
  );
  const { averageWeights: average } = recipe;
  const averageFrom = average && "from" in average ? average.from : undefined;
  const averaged =
    average && new AveragedWeights(model, "from" in average ? { equal: true } : { decay: average.decay });
  const peers = Array.from({ length: peersOf(method, options) }, (_, peer) => {
    const network = freshModel(experiment, generation, peer);
    return trained(network, optimizerFor(recipe, library, network));
  });
  return {
    ...own,
    objective: objectiveOf(method, options, {
      teachers,
      snapshot,
      generation,
      generations,
      classes: images.classes,
    }),
    device: recipe.device as Device,
    precision: recipe.precision,
    averaged,
    averageFrom,
    clipNorm: recipe.clipNorm,
    accumulate: recipe.accumulate,
    ranks,
    syncBatchNorm: recipe.syncBatchNorm,
    snapshot,
    peers,
    [Symbol.dispose]: () => {
      for (const { optimizer, scaler } of [own, ...peers]) {
        optimizer.dispose();
        scaler?.dispose();
      }
      for (const peer of peers) peer.model.dispose();
      averaged?.dispose();
      snapshot?.dispose();
    },
  };
}

/** Makes the snapshot by which a generation's network learns from itself, where its method asks for one. */
function snapshotFor(
  experiment: Omit<Experiment, "folder">,
  generation: number,
  model: Module,
): Snapshot | undefined {
  const { method, options } = methodOf(experiment, generation);
  const isDue = method.snapshot;
  if (!isDue) return undefined;
  const epochs = epochsOf(experiment, generation);
  return new Snapshot({
    make: () => {
      const copy = freshModel(experiment, generation);
      return model instanceof Renormalised ? model.before(copy) : copy;
    },
    isDue: (epoch) => isDue(epoch, options, epochs),
  });
}

/** Makes the optimiser that a recipe asks for. */
export function optimizerFor(recipe: Recipe, library: Library, model: Module): Optimizer {
  return optimizerOf(recipe, library, model.parameters());
}

/**
 * Makes an optimiser by which the parts of a network learn at rates of their own.
 *
 * @throws Error when the network has no classifier
 */
function layerWiseOptimizer(
  { recipe, library, images }: Omit<Experiment, "folder">,
  model: Module,
  rates: Pick<FineTune, "headRate" | "decay">,
): Optimizer {
  const head = headOf(model, images.classes);
  if (!head)
    throw new Error(
      `fineTune: the network has no nn.Linear of ${images.classes} outputs to be its classifier`,
    );
  const groups = rateGroups(model, head, rates).map(({ parameters, factor }) => ({
    optimizer: optimizerOf(recipe, library, parameters),
    factor,
  }));
  return new GroupedOptimizer(groups, recipe.optimizer.learningRate);
}

function optimizerOf(recipe: Recipe, library: Library, parameters: readonly Parameter[]): Optimizer {
  const definition = library.get("optimizer", recipe.optimizer.kind);
  const optimizer: unknown = definition.create(parameters, optionsOf(recipe.optimizer, "kind"));
  if (typeof (optimizer as Optimizer | undefined)?.step !== "function")
    throw new TypeError(`the optimiser ${definition.name} must be made with a step, got ${typeof optimizer}`);
  return optimizer as Optimizer;
}

/** Makes a scaler for float16, the one precision in which small gradients would become zero. */
function scalerFor({ precision, device }: Recipe): GradScaler | undefined {
  return precision === "float16" ? new GradScaler({ device: device as Device }) : undefined;
}

/**
 * Makes a graph to record a training step into. There is none on the CPU, for `kernels: libtorch`, in a build
 * without CUDA graphs, and for a learner whose step cannot be recorded.
 */
export function graphFor({ device, kernels }: Recipe, learner: Learner): CudaGraph | undefined {
  const wanted = device !== "cpu" && kernels !== "libtorch";
  return wanted && hasCudaGraphs() && canRecord(learner) ? new CudaGraph(device as Device) : undefined;
}

/** Makes the schedule of a generation's training: the recipe's learning rate by step, placed as the method asks. */
export function scheduleFor(
  experiment: Pick<Experiment, "recipe" | "library">,
  generation: number,
  stepsPerEpoch: number,
): Schedule {
  const { schedule, epochs, optimizer } = experiment.recipe;
  const { method, options } = methodOf(experiment, generation);
  const rates = experiment.library
    .get("schedule", schedule.kind)
    .create(optionsOf(schedule, "kind"), { learningRate: optimizer.learningRate, epochs, stepsPerEpoch });
  const { scheduleAt } = method;
  if (!scheduleAt) return rates;
  // Schedules are functions of whole steps.
  return (step) => rates(Math.round(scheduleAt(step / stepsPerEpoch, options, epochs) * stepsPerEpoch));
}
