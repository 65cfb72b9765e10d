import type { z } from "zod";
import type { Module } from "../nn/index.js";
import type { GradScaler, Optimizer } from "../optim/index.js";
import { schema } from "../packages.js";
import * as torch from "../torch/index.js";

const positionSchema = schema((z) => {
  const count = z.int().min(0);
  const seconds = z.number().min(0);
  return z
    .object({
      /** Epochs done. */
      epoch: count,
      /** Steps done of the epoch at hand. */
      step: count,
      meter: z.object({ names: z.array(z.string()), sums: z.array(z.number()), images: count }),
      /** Training time so far, of the whole network and of the epoch at hand. */
      seconds,
      epochSeconds: seconds,
    })
    .refine(({ meter: { names, sums } }) => sums.length === 0 || sums.length === names.length + 2);
});

/** How far a network's training has come. Order and crops follow from seed and epoch, so this is all. */
export type Position = z.infer<ReturnType<typeof positionSchema>>;

const format = "lyceum-checkpoint-1";
const modelPrefix = "model.";
const optimizerPrefix = "optimizer.";
const scalerPrefix = "scaler.";

function prefixed(prefix: string, tensors: Record<string, torch.Tensor>): [string, torch.Tensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]);
}

function unprefixed(prefix: string, tensors: Record<string, torch.Tensor>): Record<string, torch.Tensor> {
  const chosen = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(chosen.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** Writes one file, whole or not at all: weights, the optimiser's state and the position belong together. */
export function saveCheckpoint(
  path: string,
  model: Module,
  optimizer: Optimizer,
  position: Position,
  scaler?: GradScaler,
): void {
  torch.scope(() => {
    const tensors = Object.fromEntries([
      ...prefixed(modelPrefix, model.stateDict()),
      ...prefixed(optimizerPrefix, optimizer.stateDict()),
      ...prefixed(scalerPrefix, scaler?.stateDict() ?? {}),
    ]);
    torch.saveSafetensors(path, tensors, {
      format,
      position: JSON.stringify(position),
    });
  });
}

/**
 * Puts model, optimiser and scaler back to where `saveCheckpoint` found them.
 *
 * @throws Error naming the file when it is no checkpoint or of another model
 */
export function loadCheckpoint(
  path: string,
  model: Module,
  optimizer: Optimizer,
  scaler?: GradScaler,
): Position {
  return torch.scope(() => {
    const { tensors, metadata } = torch.loadSafetensors(path);
    const position = parsePosition(path, metadata);
    try {
      model.loadStateDict(unprefixed(modelPrefix, tensors));
      optimizer.loadStateDict(unprefixed(optimizerPrefix, tensors));
      scaler?.loadStateDict(unprefixed(scalerPrefix, tensors));
    } catch (cause) {
      throw new Error(`${path}: ${(cause as Error).message}`, { cause });
    }
    return position;
  });
}

function parsePosition(path: string, { format: found, position }: Record<string, string>): Position {
  if (found !== format) throw new Error(`${path}: no checkpoint: its format is not ${format}`);
  try {
    return positionSchema().parse(JSON.parse(position ?? ""));
  } catch (cause) {
    throw new Error(`${path}: no usable checkpoint: its position is damaged`, { cause });
  }
}
