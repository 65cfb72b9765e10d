import type { Module } from "../nn/index.js";
import type { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import type { MeterState } from "./meter.js";

/** How far a network's training has come. Order and crops follow from seed and epoch, so this is all. */
export interface Position {
  /** Epochs done. */
  epoch: number;
  /** Steps done of the epoch at hand. */
  step: number;
  meter: MeterState;
  /** Training time so far, of the whole network and of the epoch at hand. */
  seconds: number;
  epochSeconds: number;
}

const modelPrefix = "model.";
const optimizerPrefix = "optimizer.";

function prefixed(prefix: string, tensors: Record<string, torch.Tensor>): [string, torch.Tensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]);
}

function unprefixed(prefix: string, tensors: Record<string, torch.Tensor>): Record<string, torch.Tensor> {
  const chosen = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(chosen.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** Writes one file, whole or not at all: weights, the optimiser's state and the position belong together. */
export function saveCheckpoint(path: string, model: Module, optimizer: SGD, position: Position): void {
  torch.scope(() => {
    const tensors = Object.fromEntries([
      ...prefixed(modelPrefix, model.stateDict()),
      ...prefixed(optimizerPrefix, optimizer.stateDict()),
    ]);
    torch.saveSafetensors(path, tensors, {
      format: "lyceum-checkpoint-1",
      position: JSON.stringify(position),
    });
  });
}

/**
 * Puts model and optimiser back to where `saveCheckpoint` found them.
 *
 * @throws Error naming the file when it is no checkpoint or of another model
 */
export function loadCheckpoint(path: string, model: Module, optimizer: SGD): Position {
  return torch.scope(() => {
    const { tensors, metadata } = torch.loadSafetensors(path);
    const position = parsePosition(path, metadata);
    try {
      model.loadStateDict(unprefixed(modelPrefix, tensors));
      optimizer.loadStateDict(unprefixed(optimizerPrefix, tensors));
    } catch (cause) {
      throw new Error(`${path}: ${(cause as Error).message}`, { cause });
    }
    return position;
  });
}

function parsePosition(path: string, metadata: Record<string, string>): Position {
  const broken = (reason: string) => new Error(`${path}: no usable checkpoint: ${reason}`);
  if (metadata.format !== "lyceum-checkpoint-1") throw broken("its format is not lyceum-checkpoint-1");
  let value: Position;
  try {
    value = JSON.parse(metadata.position ?? "");
  } catch {
    throw broken("its position is no JSON");
  }
  const whole = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  const { names, sums, images } = value?.meter ?? {};
  const wellFormed =
    whole(value.epoch) &&
    whole(value.step) &&
    whole(images) &&
    [value.seconds, value.epochSeconds].every((x) => typeof x === "number" && x >= 0) &&
    Array.isArray(names) &&
    names.every((name) => typeof name === "string") &&
    Array.isArray(sums) &&
    sums.every((sum) => typeof sum === "number") &&
    (sums.length === 0 || sums.length === names.length + 2);
  if (!wellFormed) throw broken("its position is incomplete");
  return value;
}
