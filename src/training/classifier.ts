import { Linear, type Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

export interface ClassifierOptions {
  /** The network's name, for messages. */
  name: string;
  /** The number of logits that an image has. */
  classes: number;
  /** A batch that the network takes, [N, channels, H, W]. */
  example: torch.Tensor;
}

/**
 * Finds the layer that makes a network's logits: the last `nn.Linear` with as many outputs as there are classes. Whether it
 * does make them is tried on an example: with its weight and bias halved, which rounds nothing, every logit must be half of
 * what it was. The network stays as it is.
 *
 * @throws Error that names the network when there is no such layer, or the logits are not its outputs
 */
export function classifierOf(model: Module, { name, classes, example }: ClassifierOptions): Linear {
  const layers = [...model.namedModules()].filter(
    (entry): entry is [string, Linear] => entry[1] instanceof Linear && entry[1].weight.shape[0] === classes,
  );
  const [path, layer] = layers.at(-1) ?? [];
  const complain = (why: string) =>
    new Error(
      `the answers of the network "${name}" cannot be softened by a temperature, since ${why}: its logits must be the ` +
        "outputs of an nn.Linear, as they are",
    );
  if (!layer) throw complain(`it has no nn.Linear of ${classes} outputs`);
  const modes = [...model.namedModules().values()].map((module) => [module, module.training] as const);
  try {
    model.eval();
    const halves = torch.scope(() =>
      torch.noGrad(() => {
        const before = model.forward(example).clone();
        const kept = tensorsOf(layer).map((tensor) => [tensor, tensor.clone()] as const);
        try {
          divide(layer, 2);
          return before.allclose(model.forward(example).mul(2), 1e-5, 1e-30);
        } finally {
          for (const [tensor, value] of kept) tensor.copy_(value);
        }
      }),
    );
    if (!halves) throw complain(`its logits are not the outputs of ${path || "its last nn.Linear"}`);
    return layer;
  } finally {
    for (const [module, mode] of modes) module.training = mode;
  }
}

/**
 * Divides a network's logits by a number for good, in the weight and the bias of its classifier.
 *
 * @throws Error as {@link classifierOf}, before anything is changed
 */
export function divideLogits(model: Module, divisor: number, options: ClassifierOptions): void {
  divide(classifierOf(model, options), divisor);
}

function divide(layer: Linear, divisor: number): void {
  torch.noGrad(() => {
    for (const tensor of tensorsOf(layer)) tensor.div_(divisor);
  });
}

function tensorsOf({ weight, bias }: Linear): torch.Tensor[] {
  return bias ? [weight, bias] : [weight];
}
