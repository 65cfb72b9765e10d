/**
 * Makes a learner of a recipe: the network with its optimiser and everything else that has a state in its
 * training.
 */
import type { Module } from "../nn/index.js";
import { AveragedWeights, GradScaler, type Optimizer, type Schedule } from "../optim/index.js";
import { type Library, optionsOf, type Recipe } from "../recipe/index.js";
import { CudaGraph, type Device, hasCudaGraphs } from "../torch/index.js";
import { canRecord, type Learner, type Objective } from "../training/index.js";
import { type Experiment, methodOf } from "./experiment.js";

/** A learner that owns its parts. Disposing of it frees all of them but the network. */
export type OwnedLearner = Learner & Disposable;

/** Makes the learner that a recipe asks for. */
export function createLearner(
  recipe: Recipe,
  library: Library,
  model: Module,
  objective: Objective,
): OwnedLearner {
  const optimizer = optimizerFor(recipe, library, model);
  const scaler = scalerFor(recipe);
  const averaged = recipe.averageWeights && new AveragedWeights(model, recipe.averageWeights);
  return {
    model,
    optimizer,
    objective,
    device: recipe.device as Device,
    precision: recipe.precision,
    scaler,
    averaged,
    clipNorm: recipe.clipNorm,
    [Symbol.dispose]: () => {
      optimizer.dispose();
      scaler?.dispose();
      averaged?.dispose();
    },
  };
}

/** Makes the optimiser that a recipe asks for. */
export function optimizerFor(recipe: Recipe, library: Library, model: Module): Optimizer {
  const definition = library.get("optimizer", recipe.optimizer.kind);
  const optimizer: unknown = definition.create(model.parameters(), optionsOf(recipe.optimizer, "kind"));
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
