import * as torch from "../../torch/index.js";
import { mobileNetV2 } from "./mobilenet-v2.js";
import type { NameTable } from "./table.js";
import { vgg } from "./vgg.js";

/** The families whose names in timm are not torchvision's. ResNets and DenseNets have the same names in both. */
export const tables: readonly NameTable[] = [vgg, mobileNetV2];

/** Tensors by name. */
export type State = Record<string, torch.Tensor>;

/** The path of a tensor's module, and the tensor's own name. */
function split(name: string): [path: string, own: string] {
  const dot = name.lastIndexOf(".");
  return [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
}

/** Finds the family by whose names in timm a state goes: all of the modules that timm names otherwise are there. */
export function timmTableOf(names: readonly string[]): NameTable | undefined {
  const paths = new Set(names.map((name) => split(name)[0]));
  return tables.find(({ modules }) =>
    modules.every(([torchvision, timm]) => paths.has(timm) && !paths.has(torchvision)),
  );
}

/**
 * Gives a state by torchvision's names for one by timm's.
 *
 * @returns tensors of the scope that is open, which share memory with those that were given
 */
export function fromTimm(state: Readonly<State>, { modules, convolutions = {} }: NameTable): State {
  const paths = new Map(modules.map(([torchvision, timm]) => [timm, torchvision]));
  return renamed(state, paths, (path, weight) =>
    Object.hasOwn(convolutions, path) ? weight.flatten(1) : weight,
  );
}

/**
 * Gives a state by timm's names for one by torchvision's.
 *
 * @returns tensors of the scope that is open, which share memory with those that were given
 */
export function toTimm(state: Readonly<State>, { modules, convolutions = {} }: NameTable): State {
  const windows = new Map(
    modules.flatMap(([torchvision, timm]) => {
      const window = convolutions[torchvision];
      return window ? [[timm, window] as const] : [];
    }),
  );
  return renamed(state, new Map(modules), (path, weight) => {
    const window = windows.get(path);
    return window ? weight.reshape([weight.shape[0]!, -1, ...window]) : weight;
  });
}

/** @param shape gives a weight another shape, by the new path of its module */
function renamed(
  state: Readonly<State>,
  paths: ReadonlyMap<string, string>,
  shape: (path: string, weight: torch.Tensor) => torch.Tensor,
): State {
  const found: State = Object.create(null);
  for (const [name, tensor] of Object.entries(state)) {
    const [path, own] = split(name);
    const to = paths.get(path) ?? path;
    found[to ? `${to}.${own}` : own] = own === "weight" ? shape(to, tensor) : tensor;
  }
  return found;
}

/**
 * Adds the counts of batches that a file of batch norms lacks, as those of PyTorch before 0.4.1 do. They decide nothing but
 * the averages of a momentum that is left out.
 */
export function withCounts(state: Readonly<State>): State {
  const all: State = Object.assign(Object.create(null), state);
  for (const name of Object.keys(state)) {
    const count = name.replace(/running_mean$/, "num_batches_tracked");
    if (count !== name && !Object.hasOwn(state, count)) all[count] = torch.zeros([], { dtype: "int64" });
  }
  return all;
}
