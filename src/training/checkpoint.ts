import type { z } from "zod";
import { schema } from "../packages.js";
import * as torch from "../torch/index.js";
import type { Learner } from "./step.js";

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
      /** Seconds of training so far, of the whole network and of the epoch at hand. */
      seconds,
      epochSeconds: seconds,
      /** Seconds since the network's training began, over all sittings: evaluation and files included. */
      elapsedSeconds: seconds,
    })
    .refine(({ meter: { names, sums } }) => sums.length === 0 || sums.length === names.length + 2);
});

/** How far a network's training has come. Order and crops follow from seed and epoch, so this is all. */
export type Position = z.infer<ReturnType<typeof positionSchema>>;

const format = "lyceum-checkpoint-2";

function prefixed(part: string, tensors: Record<string, torch.Tensor>): [string, torch.Tensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [`${part}.${name}`, tensor]);
}

function unprefixed(part: string, tensors: Record<string, torch.Tensor>): Record<string, torch.Tensor> {
  const chosen = Object.entries(tensors).filter(([name]) => name.startsWith(`${part}.`));
  return Object.fromEntries(chosen.map(([name, tensor]) => [name.slice(part.length + 1), tensor]));
}

/** What of a learner has a state that its next step depends on. */
export type Stateful = Pick<Learner, "model" | "optimizer"> & Partial<Pick<Learner, "scaler" | "averaged">>;

/** The parts of a learner, by the prefix of their tensors' names. */
function partsOf({ model, optimizer, scaler, averaged }: Stateful) {
  return { model, optimizer, ...(scaler && { scaler }), ...(averaged && { averaged }) };
}

/** Writes one file, whole or not at all: weights, the optimiser's state and the position belong together. */
export function saveCheckpoint(path: string, learner: Stateful, position: Position): void {
  torch.scope(() => {
    const tensors = Object.entries(partsOf(learner)).flatMap(([part, owner]) =>
      prefixed(part, owner.stateDict()),
    );
    torch.saveSafetensors(path, Object.fromEntries(tensors), { format, position: JSON.stringify(position) });
  });
}

/**
 * Puts a learner back to where `saveCheckpoint` found it.
 *
 * @throws Error naming the file when it is no checkpoint or of another learner
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
