import type { BatchPart, Mix } from "../data/index.js";
import type { Losses, Method } from "../methods/index.js";
import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";
import { mixLosses } from "./mix-losses.js";
import type { Snapshot } from "./snapshot.js";

/**
 * The objective that a network is trained for: a method with its options and the teachers that it asked for.
 */
export interface Objective {
  /**
   * The fraction of the training that is done, at least 0 and below 1. The training loop sets it before each
   * step.
   */
  progress: number;
  /** The number of the epoch, from 0. The training loop sets it before each step. */
  epoch: number;
  /** The number of epochs of the training. The training loop sets it before each step. */
  epochs: number;
  /**
   * Whether a loss has read `progress`, `epoch` or `epochs`, or learns from a snapshot or from peers. Steps of such an
   * objective cannot be recorded as a graph, which would repeat the number, and the networks, that it was recorded with.
   */
  readonly dependsOnProgress: boolean;
  /**
   * Computes the losses of one batch.
   *
   * @param logits those of the network that is trained, [N, C]
   * @param labels [N] int64
   * @param images the very images that the network was given, [N, channels, H, W]; teachers and snapshot are run on
   *   them too
   * @param mix where the images are mixed: their other labels, with which the losses are computed too and then
   *   mixed
   * @param peers the logits of the networks that are trained together with this one, each [N, C]; no gradient flows
   *   into them
   * @param part the place of the images in the batch of all processes, where several train together
   */
  losses(
    logits: torch.Tensor,
    labels: torch.Tensor,
    images: torch.Tensor,
    mix?: Mix,
    peers?: readonly torch.Tensor[],
    part?: BatchPart,
  ): Losses;
}

/** The place in a line of the network that is trained, with its teachers. */
export interface Role {
  /** The frozen networks that teach it, in the order in which the method asked for them. Default: none. */
  teachers?: readonly Module[];
  /** The frozen copy of the network itself, where the method asks for one. Default: none. */
  snapshot?: Pick<Snapshot, "network"> | undefined;
  /** The generation of the network. Default: 0, the patriarch. */
  generation?: number;
  /** The number of generations in the whole line. Default: `generation + 1`. */
  generations?: number;
  /** How many logits an image must have. Default: as many as it has. */
  classes?: number;
}

/**
 * Makes the objective of training by a method.
 *
 * @param options the options of the method, with their defaults filled in
 */
export function objectiveOf<M extends Method>(
  method: M,
  options: Parameters<M["loss"]>[1],
  { teachers = [], snapshot, generation = 0, generations = generation + 1, classes }: Role = {},
): Objective {
  let dependsOnProgress = snapshot !== undefined;
  const read = (what: "progress" | "epoch" | "epochs") => {
    dependsOnProgress = true;
    return objective[what];
  };
  const objective: Objective = {
    progress: 0,
    epoch: 0,
    epochs: 1,
    get dependsOnProgress() {
      return dependsOnProgress;
    },
    losses: (logits, labels, images, mix, peers = [], part = undefined) => {
      checkClasses(logits, classes);
      if (peers.length > 0) dependsOnProgress = true;
      const logitsOf = (frozen: Module) => asFloat(frozen.forward(images));
      const frozen = torch.noGrad(() => ({
        teachers: teachers.map(logitsOf),
        snapshot: snapshot?.network && logitsOf(snapshot.network),
      }));
      const lossesFor = (labels: torch.Tensor) => {
        const input = {
          logits,
          labels,
          ...frozen,
          peers,
          ...(part && { part }),
          generation,
          generations,
          get progress() {
            return read("progress");
          },
          get epoch() {
            return read("epoch");
          },
          get epochs() {
            return read("epochs");
          },
        };
        return checked(method, method.loss(input, options));
      };
      const losses = lossesFor(labels);
      return mix ? mixLosses(losses, lossesFor(mix.otherLabels), mix.weight) : losses;
    },
  };
  return objective;
}

/** @throws TypeError when a network does not give each image one logit a class */
function checkClasses(logits: torch.Tensor, classes: number | undefined): void {
  if (classes === undefined || `${logits.shape.slice(1)}` === `${classes}`) return;
  throw new TypeError(
    `a network must give each image ${classes} logits, one a class, got shape [${logits.shape.join(", ")}]`,
  );
}

/**
 * Checks that a step can use what a method's loss has returned, and gives it back.
 *
 * @throws TypeError that names the method and what its loss must return
 */
function checked({ name }: Method, losses: Losses): Losses {
  const { loss, terms } = (losses ?? {}) as Partial<Losses>;
  const complain = (what: string) => new TypeError(`the loss of the method ${name} must give back ${what}`);
  if (typeof terms !== "object" || terms === null || !torch.isTensor(loss))
    throw complain("{ loss, terms }: a tensor, and tensors by name");
  for (const [term, tensor] of [["loss", loss] as const, ...Object.entries(terms)]) {
    if (!torch.isTensor(tensor)) throw complain(`a tensor as ${term}, got ${typeof tensor}`);
    if (tensor.shape.length > 0)
      throw complain(`a scalar as ${term}, got shape [${tensor.shape.join(", ")}]`);
  }
  return losses;
}
