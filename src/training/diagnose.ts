/** What can be said of a network whose training ran into numbers that are not finite. */
import { type Module, watch } from "../nn/index.js";
import * as torch from "../torch/index.js";
import type { BadStep } from "./bad-step.js";
import type { Learner, TrainingBatch } from "./step.js";

/**
 * Looks for where numbers that are not finite come from: in the weights, in the layers' outputs for the batch at hand in
 * the order in which they are computed, or in the loss alone; and for the largest gradients of the step before.
 *
 * The network is run once more, so that its statistics are not to be used afterwards.
 *
 * @returns parts of a sentence
 */
export function diagnose(
  learner: Learner,
  batch: TrainingBatch,
  { what, values, elsewhere }: BadStep,
): string[] {
  if (elsewhere !== undefined) return [`on rank ${elsewhere}, whose own message says where it comes from`];
  return torch.noGrad(() =>
    torch.scope(() => {
      const { model } = learner;
      const found = [`learning rate ${short(learner.optimizer.learningRate)}`];
      const broken = [...model.namedParameters()].find(([, weight]) => !allFinite(weight));
      const gradients = gradientsOf(model);
      if (broken) found.push(`the weights of ${broken[0]} are the first that are not finite`);
      else if (what === "gradients") {
        const first = [...model.namedParameters()].find(([, { grad }]) => grad && !allFinite(grad));
        if (first) found.push(`the gradient of ${first[0]} is the first that is not finite`);
      } else found.push(firstLayer(learner, batch) ?? termsOf(values));
      if (gradients && what === "loss") found.push(gradients);
      return found;
    }),
  );
}

/** Names the first layer whose output is not finite; undefined where the network's own output is. */
function firstLayer({ model, device = "cpu" }: Learner, batch: TrainingBatch): string | undefined {
  let first: string | undefined;
  let largest = 0;
  const watched: Disposable[] = [];
  try {
    for (const [name, layer] of model.namedModules()) {
      // A module of modules gives what they give.
      if (name === "" || hasModules(layer)) continue;
      watched.push(
        watch(layer, ({ input, output }) => {
          if (first !== undefined) return;
          if (allFinite(output)) largest = Math.max(largest, largestOf(output));
          else if (allFinite(input))
            first = `the output of ${name} is the first that is not finite, with inputs up to ${short(largestOf(input))}`;
        }),
      );
    }
    model.forward(batch.images.to({ device }));
  } finally {
    for (const each of watched) each[Symbol.dispose]();
  }
  return first;
}

function hasModules(module: Module): boolean {
  return module.namedModules().size > 1;
}

function termsOf({ loss: _, ...terms }: Readonly<Record<string, number>>): string {
  const bad = Object.entries(terms).filter(([, value]) => !Number.isFinite(value));
  const names = bad.map(([name, value]) => `${name} is ${value}`).join(", ");
  return `the network's output is finite, its loss is not${names ? `: ${names}` : ""}`;
}

/** Says how large the gradients of the step before are, where the network still has them. */
function gradientsOf(model: Module): string | undefined {
  const norms = [...model.namedParameters()].flatMap(([name, { grad }]) =>
    grad ? [{ name, norm: Number(grad.norm().item()) }] : [],
  );
  const finite = norms.filter(({ norm }) => Number.isFinite(norm));
  if (finite.length === 0 || finite.length < norms.length) return undefined;
  const all = Math.hypot(...norms.map(({ norm }) => norm));
  const most = norms.reduce((a, b) => (b.norm > a.norm ? b : a));
  return `the gradients of the step before have a norm of ${short(all)}, the largest of them ${short(most.norm)} at ${most.name}`;
}

function allFinite(tensor: torch.Tensor): boolean {
  return torch.scope(() => Boolean(torch.op("aten::isfinite", tensor).all().item()));
}

function largestOf(tensor: torch.Tensor): number {
  return torch.scope(() => Number(tensor.abs().amax().item()));
}

const short = (value: number) => Number(value.toPrecision(3)).toString();
