import { Linear, type Module } from "../nn/index.js";

/** A layer of a network, and its path in it. */
export interface Head {
  path: string;
  layer: Linear;
}

/**
 * Finds the layer that makes a network's logits: the last `nn.Linear` with as many outputs as there are classes.
 *
 * @returns undefined where there is none
 */
export function headOf(model: Module, classes: number): Head | undefined {
  const layers = [...model.namedModules()].flatMap(([path, layer]) =>
    layer instanceof Linear && layer.weight.shape[0] === classes ? [{ path, layer }] : [],
  );
  return layers.at(-1);
}
