import { type Module, withoutInitialisation } from "../nn/index.js";
import * as torch from "../torch/index.js";
import type { ModelDefinition } from "./define.js";

/** The shapes of a state's tensors by name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** How well tensors fit a network. */
export interface Fit {
  /** The network's name. */
  model: string;
  /** The classes and the channels with which it was tried, read from the tensors. */
  classes: number;
  channels: number;
  /** Names that the network has, and the tensors lack. */
  missing: string[];
  /** Names that the network lacks. */
  unexpected: string[];
  /** Names whose tensors are of another shape than the network's. */
  misshaped: string[];
}

/** Tells whether a fit is exact, so that the tensors can be loaded. */
export function isExact({ missing, unexpected, misshaped }: Fit): boolean {
  return missing.length + unexpected.length + misshaped.length === 0;
}

/** Counts of batches, which decide nothing and which files may lack. */
const isCount = (name: string) => name.endsWith("num_batches_tracked");

/**
 * Compares tensors with a network, for as many classes and channels as the tensors are for. Counts of batches may be
 * missing.
 */
export function fitOf({ name, create }: ModelDefinition, shapes: Shapes): Fit {
  const size = sizeOf(shapes);
  const own = torch.scope(() => layoutOf(create, size));
  const unexpected = [...shapes.keys()].filter((key) => !own.has(key) && !isCount(key));
  const missing = [...own.keys()].filter((key) => !shapes.has(key) && !isCount(key));
  const misshaped = [...own].flatMap(([key, shape]) => {
    const given = shapes.get(key);
    return given && `${given}` !== `${shape}` ? [key] : [];
  });
  return { model: name, ...size, missing, unexpected, misshaped };
}

/** Finds the networks that tensors fit exactly, or else the one that they come nearest to. */
export function findFits(definitions: readonly ModelDefinition[], shapes: Shapes): Fit[] {
  let nearest: Fit | undefined;
  const exact: Fit[] = [];
  for (const definition of definitions) {
    const fit = fitOf(definition, shapes);
    if (isExact(fit)) exact.push(fit);
    if (!nearest || faults(fit) < faults(nearest)) nearest = fit;
  }
  return exact.length > 0 || !nearest ? exact : [nearest];
}

const faults = ({ missing, unexpected, misshaped }: Fit) =>
  missing.length + unexpected.length + misshaped.length;

/** The classes that the last matrix tells apart, and the channels that the first convolution takes. */
function sizeOf(shapes: Shapes): { classes: number; channels: number } {
  const all = [...shapes.values()];
  const bounded = (size: number | undefined, usual: number) =>
    size !== undefined && size >= 1 && size <= 1_000_000 ? size : usual;
  return {
    classes: bounded(all.findLast((shape) => shape.length === 2)?.[0], 1000),
    channels: bounded(all.find((shape) => shape.length === 4)?.[1], 3),
  };
}

function layoutOf(
  create: ModelDefinition["create"],
  size: { classes: number; channels: number },
): Map<string, readonly number[]> {
  const generator = new torch.Generator(0);
  const model: Module = withoutInitialisation(() => create({ ...size, generator }));
  return new Map(Object.entries(model.stateDict()).map(([name, { shape }]) => [name, shape]));
}
