/** Layer-wise learning rates: how fast each part of a network learns when it is fine-tuned. */
import { Module, type Parameter } from "../nn/index.js";
import { contentOf } from "../nn/module.js";
import { isTensor } from "../torch/index.js";
import type { Head } from "./head.js";

/** Parameters that learn at one rate, as a multiple of the schedule's. */
export interface RateGroup {
  /** The paths of the parts, first to last, for people. */
  parts: string[];
  parameters: Parameter[];
  factor: number;
}

/** A part of a network: a layer or a stage, with what belongs to it. */
interface Part {
  path: string;
  parameters: Parameter[];
}

/** A network of fewer parts than these is taken apart further. */
const FEWEST = 4;

/**
 * Puts a network's parameters into groups of one learning rate: the classifier's is `headRate`, that of the part before it 1,
 * and each part before that one has `decay` times the rate of the part after it.
 *
 * Parts are the fields of the network that have parameters, in their order, or the fields of these where there are few, as in
 * networks that are `features` and a `classifier`. What has vectors alone, such as a batch norm, belongs to the part before it.
 */
export function rateGroups(
  model: Module,
  head: Head,
  { headRate, decay }: { headRate: number; decay: number },
): RateGroup[] {
  const own = new Set(head.layer.parameters());
  const parts = partsOf(model, own);
  const groups = parts.map((part, i): [Part, number] => [part, decay ** (parts.length - 1 - i)]);
  groups.push([{ path: head.path, parameters: [...own] }, headRate]);
  const byFactor = new Map<number, RateGroup>();
  for (const [{ path, parameters }, factor] of groups) {
    const group = byFactor.get(factor) ?? { parts: [], parameters: [], factor };
    group.parts.push(path);
    group.parameters.push(...parameters);
    byFactor.set(factor, group);
  }
  return [...byFactor.values()];
}

/** The parts of a network, first to last, without the parameters in `besides`. */
function partsOf(model: Module, besides: ReadonlySet<Parameter>): Part[] {
  let modules: [string, Module][] = [["", model]];
  while (modules.length < FEWEST) {
    const inner = modules.flatMap(([path, module]) => childrenOf(path, module));
    if (inner.every(([, module], i) => module === modules[i]?.[1])) break;
    modules = inner;
  }
  const joined: Part[] = [];
  const taken = new Set(besides);
  for (const [path, module] of modules) {
    const parameters = module.parameters().filter((parameter) => !taken.has(parameter));
    if (parameters.length === 0) continue;
    for (const parameter of parameters) taken.add(parameter);
    const last = joined.at(-1);
    if (last && parameters.every(({ shape }) => shape.length < 2)) last.parameters.push(...parameters);
    else joined.push({ path, parameters });
  }
  // Parameters that stand beside modules, where a network was taken apart, learn with its first part.
  const rest = model.parameters().filter((parameter) => !taken.has(parameter));
  if (rest.length > 0) joined.unshift({ path: "", parameters: rest });
  return joined;
}

/** A module's own modules, or itself where it has none, or tensors of its own beside them. */
function childrenOf(path: string, module: Module): [string, Module][] {
  const content = [...contentOf(module)];
  const children = content.filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  if (children.length === 0 || content.some(([, value]) => isTensor(value))) return [[path, module]];
  return children
    .filter(([, child]) => child.parameters().length > 0)
    .map(([name, child]) => [path ? `${path}.${name}` : name, child]);
}
