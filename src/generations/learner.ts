/** What one generation is trained with: the network, its optimiser and all that belongs to its state. */
import type { Module } from "../nn/index.js";
import { AveragedWeights, GradScaler, type Optimizer, type Schedule } from "../optim/index.js";
import { type Library, optionsOf, type Recipe } from "../recipe/index.js";
import { CudaGraph, type Device, hasCudaGraphs } from "../torch/index.js";
import { canRecord, type Learner, type Objective } from "../training/index.js";

/** A learner that owns its parts. Disposing of it frees all but the network. */
export type OwnedLearner = Learner & Disposable;

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

export function optimizerFor(recipe: Recipe, library: Library, model: Module): Optimizer {
  const definition = library.get("optimizer", recipe.optimizer.kind);
  const optimizer: unknown = definition.create(model.parameters(), optionsOf(recipe.optimizer, "kind"));
  if (typeof (optimizer as Optimizer | undefined)?.step !== "function")
    throw new TypeError(`the optimiser ${definition.name} must be made with a step, got ${typeof optimizer}`);
  return optimizer as Optimizer;
}

/** Only float16 has numbers so large that gradients fall below its smallest. */
function scalerFor({ precision, device }: Recipe): GradScaler | undefined {
  return precision === "float16" ? new GradScaler({ device: device as Device }) : undefined;
}

/** A graph to record the step into, on a card whose build has them; `kernels: libtorch` does without. */
export function graphFor({ device, kernels }: Recipe, learner: Learner): CudaGraph | undefined {
  const wanted = device !== "cpu" && kernels !== "libtorch";
  return wanted && hasCudaGraphs() && canRecord(learner) ? new CudaGraph(device as Device) : undefined;
}

/** Learning rate by step over one generation's training. */
export function scheduleFor(recipe: Recipe, library: Library, stepsPerEpoch: number): Schedule {
  const { schedule, epochs, optimizer } = recipe;
  return library
    .get("schedule", schedule.kind)
    .create(optionsOf(schedule, "kind"), { learningRate: optimizer.learningRate, epochs, stepsPerEpoch });
}
