import { DeferredConvolution, Linear, type Module } from "../nn/index.js";
import { nearest } from "../recipe/index.js";

/** A layer whose features are taken. */
export interface Layer {
  /** Its path in the network, such as "layer3.0". */
  path: string;
  module: Module;
  /** Whether its input are the features, or its output. */
  side: "input" | "output";
}

/**
 * Finds a layer by its path, with dots as in the names of weights.
 *
 * @param path left out, the penultimate activations are meant: the input of the network's last `Linear`
 * @throws RangeError that suggests the nearest path when there is no such layer, or the network has no `Linear`, or the layer
 *   is a convolution that was folded into another layer
 */
export function findLayer(model: Module, path?: string): Layer {
  const modules = model.namedModules();
  if (path === undefined) {
    const last = [...modules].findLast(([, module]) => module instanceof Linear);
    if (!last)
      throw new RangeError(
        "the network has no nn.Linear whose input could be its features: name a layer (--layer)",
      );
    return { path: last[0], module: last[1], side: "input" };
  }
  const module = path === "" ? undefined : modules.get(path);
  if (!module) {
    const paths = [...modules.keys()].filter((each) => each !== "");
    const meant = nearest(path, paths);
    const top = paths.filter((each) => !each.includes(".")).slice(0, 40);
    throw new RangeError(
      `the network has no layer ${JSON.stringify(path.slice(0, 100))}${meant ? `; did you mean "${meant}"?` : `: it has ${top.join(", ")}`}`,
    );
  }
  if (module instanceof DeferredConvolution)
    throw new RangeError(
      `layer ${path} was folded into the batch norm after it, and has no result of its own: load the network without folding`,
    );
  return { path, module, side: "output" };
}

/** Says in words which activations are the features. */
export function layerInWords({ path, side }: Layer): string {
  return side === "input" ? `the input of ${path}` : path;
}

/** Whether a path names a convolution that folding would leave without a result of its own. */
export function isFoldedAway(model: Module, path: string): boolean {
  return [...model.namedModules()].some(([owner, module]) =>
    module
      .batchNormPairs()
      .some(([convolution]) => path === (owner ? `${owner}.${convolution}` : convolution)),
  );
}
