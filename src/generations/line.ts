/** How a recipe's networks, objectives and schedules come to be. */
import { createModel, type ModelOptions, modelNames } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { GradScaler, type Optimizer, type Schedule, SGD, schedules } from "../optim/index.js";
import { type Recipe, tolerance } from "../recipe/index.js";
import { CudaGraph, type Device, Generator, hasCudaGraphs } from "../torch/index.js";
import {
  canRecord,
  type Objective,
  patriarchObjective,
  strictObjective,
  studentObjective,
} from "../training/index.js";
import { deriveSeed } from "./seeds.js";

/** Makes a network with fresh weights, drawn from the given generator. */
export type ModelFactory = (options: ModelOptions) => Module;

/** A fresh network for a generation: the same architecture for all, weights of its own for each. */
export function freshModel(
  recipe: Recipe,
  generation: number,
  shape: { classes: number; channels: number },
  factory?: ModelFactory,
): Module {
  const generator = new Generator(deriveSeed(recipe.seed, "weights", generation));
  const options = { ...shape, generator };
  if (!factory && !(modelNames as readonly string[]).includes(recipe.model)) {
    throw new Error(
      `the network "${recipe.model}" is the code's own, which no command can make: give it again as \`model\`, to ` +
        "trainGenerations (with `resume: true`) or to evaluateRun",
    );
  }
  const model = factory ? factory(options) : createModel(recipe.model, options);
  return model.to({ device: recipe.device as "cpu", memoryFormat: "channelsLast" });
}

/** What generation 0 learns from the labels, and every later one from its teacher too. */
export function objectiveFor(recipe: Recipe, teacher: Module | undefined): Objective {
  if (teacher) return studentObjective(teacher, recipe.student);
  const tolerant = tolerance(recipe.patriarch);
  return tolerant ? patriarchObjective(tolerant) : strictObjective();
}

/** How many classes count as primary or secondary when a network is judged. */
export function judgedK(recipe: Recipe, classes: number): number {
  return recipe.patriarch === "strict" ? Math.min(5, classes) : recipe.patriarch.k;
}

export function optimizerFor(recipe: Recipe, model: Module): Optimizer {
  const { decayNorm, ...options } = recipe.optimizer;
  // Only weights with two dimensions or more: what is left are biases, and the scales and shifts of batch norm.
  const noDecay = decayNorm ? [] : model.parameters().filter((parameter) => parameter.shape.length < 2);
  return new SGD(model.parameters(), { ...options, noDecay });
}

/** Only float16 has numbers so small that gradients fall below them. */
export function scalerFor({ precision, device }: Recipe): GradScaler | undefined {
  return precision === "float16" ? new GradScaler({ device: device as Device }) : undefined;
}

/** A graph to record the step into, on a card whose build has them; `kernels: libtorch` does without. */
export function graphFor(
  { device, kernels }: Recipe,
  learner: Parameters<typeof canRecord>[0],
): CudaGraph | undefined {
  const can = hasCudaGraphs && device !== "cpu" && kernels !== "libtorch" && canRecord(learner);
  return can ? new CudaGraph(device as Device) : undefined;
}

export function scheduleFor(recipe: Recipe, stepsPerEpoch: number): Schedule {
  const { epochs, optimizer } = recipe;
  const { kind, ...options } = recipe.schedule;
  const definition = schedules.find(({ name }) => name === kind)!;
  return definition.create(options, { learningRate: optimizer.learningRate, epochs, stepsPerEpoch });
}
