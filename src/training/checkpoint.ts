import type { z } from "zod";
import { schema } from "../packages.js";
import * as torch from "../torch/index.js";
import { DropoutCounts } from "./dropout-counts.js";
import type { Learner } from "./step.js";

const positionSchema = schema((z) => {
  const count = z.int().min(0);
  const seconds = z.number().min(0);
  return z
    .object({
      /** The number of epochs that are done. */
      epoch: count,
      /** The number of steps done in the current epoch. */
      step: count,
      /** The meter's sums over the current epoch so far. */
      meter: z.object({ names: z.array(z.string()), sums: z.array(z.number()), images: count }),
      /** Seconds of training steps so far, summed over all processes that trained the network. */
      seconds,
      /** Seconds of training steps in the current epoch so far. */
      epochSeconds: seconds,
      /** Seconds that the network took so far, validation and files included, summed over all processes. */
      elapsedSeconds: seconds,
      /** The number of steps that were left out, since their loss or gradients were not finite. */
      skipped: count.exactOptional(),
      /** What the schedule's learning rates are multiplied by, since the training went back from a loss that was not finite. */
      rate: z.number().positive().exactOptional(),
    })
    .refine(({ meter: { names, sums } }) => sums.length === 0 || sums.length === names.length + 2);
});

/**
 * How far a network's training has come. The order of the images and their crops follow from seed and epoch,
 * so that together with the learner's state this is all that training needs to go on as if it had never
 * stopped.
 */
export type Position = z.infer<ReturnType<typeof positionSchema>>;

const format = "lyceum-checkpoint-2";

function prefixed(part: string, tensors: Record<string, torch.Tensor>): [string, torch.Tensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [`${part}.${name}`, tensor]);
}

function unprefixed(part: string, tensors: Record<string, torch.Tensor>): Record<string, torch.Tensor> {
  const chosen = Object.entries(tensors).filter(([name]) => name.startsWith(`${part}.`));
  return Object.fromEntries(chosen.map(([name, tensor]) => [name.slice(part.length + 1), tensor]));
}

/** The parts of a learner that have a state on which its next step depends. */
export type Stateful = Pick<Learner, "model" | "optimizer"> &
  Partial<Pick<Learner, "scaler" | "averaged" | "snapshot" | "peers">>;

/** A part of a learner that has a state. */
type Part = Pick<Learner["optimizer"], "stateDict" | "loadStateDict">;

/** Gives a learner's parts by the prefix that their tensors' names have in a checkpoint. */
function partsOf({
  model,
  optimizer,
  scaler,
  averaged,
  snapshot,
  peers = [],
}: Stateful): Record<string, Part> {
  return {
    model,
    dropout: new DropoutCounts(model),
    optimizer,
    ...(scaler && { scaler }),
    ...(averaged && { averaged }),
    ...(snapshot && { snapshot }),
    ...Object.fromEntries(
      peers.flatMap((peer, i) =>
        Object.entries(partsOf(peer)).map(([part, owner]) => [`peer${i}.${part}`, owner]),
      ),
    ),
  };
}

/** Gives all tensors of a learner on which its next step depends, by the names that they have in a checkpoint. */
export function tensorsOf(learner: Stateful): Record<string, torch.Tensor> {
  const parts = Object.entries(partsOf(learner));
  return Object.fromEntries(parts.flatMap(([part, owner]) => prefixed(part, owner.stateDict())));
}

/** Gives the metadata of a checkpoint. */
export function metadataOf(position: Position): Record<string, string> {
  return { format, position: JSON.stringify(position) };
}

/**
 * Saves a learner and its position in one file, which appears whole or not at all, so that weights,
 * optimiser's state and position always belong together.
 *
 * @throws Error when the file cannot be written
 */
export function saveCheckpoint(path: string, learner: Stateful, position: Position): void {
  torch.scope(() => torch.saveSafetensors(path, tensorsOf(learner), metadataOf(position)));
}

/**
 * Restores a learner from a checkpoint.
 *
 * @returns the position at which the checkpoint was saved
 * @throws Error that names the file when it is no checkpoint, is damaged, or is one of another kind of
 *   learner
 */
export function loadCheckpoint(path: string, learner: Stateful): Position {
  return torch.scope(() => {
    const { tensors, metadata } = torch.loadSafetensors(path);
    const position = parsePosition(path, metadata);
    try {
      for (const [part, owner] of Object.entries(partsOf(learner)))
        owner.loadStateDict(unprefixed(part, tensors));
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
