import * as torch from "../torch/index.js";
import { BatchNorm2d } from "./batch-norm2d.js";
import { isExactly } from "./by-class.js";
import { Conv2d } from "./conv2d.js";
import { DeferredConvolution, FoldedConvolution, FoldingError } from "./folded-convolution.js";
import { contentOf, type Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** A convolution and the batch norm after it, as fields of the module that names them as a pair. */
interface Pair {
  /** The owner's fields. */
  fields: Record<string, unknown>;
  names: readonly [convolution: string, batchNorm: string];
  /** The owner's path. */
  owner: string;
  convolution: Conv2d;
  norm: BatchNorm2d;
}

/** How many fields of all these modules hold each module. A module that serves in two places cannot suit both. */
function countPlaces(modules: Iterable<Module>): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const module of new Set(modules)) {
    for (const [, part] of contentOf(module)) counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return counts;
}

/** The pairs that can be folded: of the very classes, in one place and one pair each. */
function pairsOf(model: Module): Pair[] {
  const modules = model.namedModules();
  const places = countPlaces(modules.values());
  const found: Pair[] = [];
  const named = new Map<unknown, number>();
  const seen = new Set<Module>();
  for (const [owner, module] of modules) {
    if (seen.has(module)) continue;
    seen.add(module);
    const fields = module as unknown as Record<string, unknown>;
    for (const names of module.batchNormPairs()) {
      const [convolution, norm] = names.map((name) => fields[name]);
      for (const part of [convolution, norm]) named.set(part, (named.get(part) ?? 0) + 1);
      if (!isExactly(convolution, Conv2d) || !isExactly(norm, BatchNorm2d)) continue;
      found.push({ fields, names, owner, convolution, norm });
    }
  }
  const isSingle = (part: Module) => places.get(part) === 1 && named.get(part) === 1;
  return found.filter(({ convolution, norm }) => isSingle(convolution) && isSingle(norm));
}

/** Whether all of a network's numbers are finite. */
function isAllFinite(model: Module): boolean {
  return torch.scope(() =>
    torch.noGrad(() =>
      Object.values(model.stateDict()).every((tensor) => tensor.isfinite().all().item() === 1),
    ),
  );
}

/** With running statistics, batch norm is a scale and a shift of each channel: a new convolution takes both over. */
function merge({ convolution, norm }: Pair): Conv2d {
  const [weight, bias] = torch.scope(() => {
    const scale = norm.weight.div(norm.runningVar.add(norm.eps).sqrt());
    const before = convolution.bias ? convolution.bias.sub(norm.runningMean) : norm.runningMean.neg();
    const scaled = convolution.weight.mul(scale.reshape([-1, 1, 1, 1]));
    return [scaled, before.mul(scale).add(norm.bias)] as const;
  });
  return Object.assign(Object.create(Conv2d.prototype), convolution, {
    weight: new Parameter(weight),
    bias: new Parameter(bias),
  });
}

/** A batch that the network may be able to take: two images of 32x32 for its first convolution; else undefined. */
function guessExample(model: Module): torch.Tensor | undefined {
  for (const module of model.namedModules().values()) {
    if (!(module instanceof Conv2d)) continue;
    const { weight, groups } = module;
    const generator = new torch.Generator(0);
    const drawn = torch.randn([2, groups * weight.shape[1]!, 32, 32], { generator });
    return drawn.to({ dtype: weight.dtype, device: weight.device }).contiguous("channelsLast");
  }
  return undefined;
}

/**
 * Lets the folded network answer once, so that a pair which may not be folded is found now.
 *
 * @throws FoldingError when there is one; whatever `forward` throws, if the example was given
 */
function tryOut(model: Module, given: torch.Tensor | undefined): void {
  torch.scope(() => {
    const example = given ?? guessExample(model);
    if (!example) return;
    try {
      model.forward(example);
    } catch (error) {
      // A guessed batch may be of a size that the network does not take.
      if (given || error instanceof FoldingError) throw error;
    }
  });
}

/** Frees what was folded, but for tensors that another module of the network shares. */
function disposeOld(pairs: readonly Pair[], model: Module): void {
  const tensorsOf = (module: Module) => [
    ...module.namedParameters().values(),
    ...module.namedBuffers().values(),
  ];
  const needed = new Set<torch.Tensor>(tensorsOf(model));
  for (const tensor of pairs.flatMap(({ convolution, norm }) => [convolution, norm]).flatMap(tensorsOf)) {
    if (!needed.has(tensor)) tensor.dispose();
  }
}

/** Puts folded convolutions in the places of the pairs; returns a function that undoes it. */
function replace(pairs: readonly Pair[]): () => void {
  const folded = pairs.map((pair) => {
    const [convolution, batchNorm] = pair.names;
    const deferred = new DeferredConvolution({ owner: pair.owner, convolution, batchNorm });
    return [deferred, new FoldedConvolution(merge(pair).requiresGrad_(false), deferred)] as const;
  });
  const put = ({ fields, names }: Pair, layers: readonly Module[]) => {
    for (const [i, name] of names.entries()) fields[name] = layers[i];
  };
  for (const [i, pair] of pairs.entries()) put(pair, folded[i]!);
  return () => {
    for (const pair of pairs) put(pair, [pair.convolution, pair.norm]);
    for (const [, { convolution }] of folded) convolution.dispose();
  };
}

/** A batch to try a network with. */
export interface FoldingOptions {
  /** Images as the network takes them; random ones of 32x32 pixels are tried by default, if it takes those. */
  example?: torch.Tensor;
}

function fold(model: Module, { example }: FoldingOptions, { keep }: { keep: boolean }): void {
  const modes = [...model.namedModules().values()].map((module) => [module, module.training] as const);
  // oneDNN's ReLU makes 0 of NaN, which would hide that a network is broken: such a one stays as it is.
  const pairs = isAllFinite(model) ? pairsOf(model) : [];
  const restore = torch.noGrad(() => replace(pairs));
  let isKept = false;
  try {
    model.eval();
    if (pairs.length > 0) torch.noGrad(() => tryOut(model, example));
    isKept = keep;
  } finally {
    if (!isKept) {
      restore();
      for (const [module, mode] of modes) module.training = mode;
    }
  }
  if (keep) disposeOld(pairs, model);
}

/**
 * Folds batch norm into the convolutions before it, in place and for good: the network answers faster, can no longer be
 * trained, and its weights are no longer those of its architecture. Save them first.
 *
 * Folded are the pairs of {@link Module.batchNormPairs} whose parts are `Conv2d` and `BatchNorm2d` themselves, no
 * subclasses, and serve in one place only; all other layers stay as they are. Whether `forward` does apply each pair one
 * right after the other is checked: here, by one batch that goes through the folded network, and again whenever it answers.
 *
 * @returns the same module, in evaluation mode and frozen
 * @throws FoldingError naming module and pair when a pair is not applied so; the network then is as it was before
 */
export function foldBatchNorm<M extends Module>(model: M, options: FoldingOptions = {}): M {
  fold(model, options, { keep: true });
  return model.requiresGrad_(false);
}

/**
 * Checks that {@link foldBatchNorm} would fold the network: before it is trained for hours, say. The network stays as it is.
 *
 * @throws FoldingError naming module and pair when a pair is not applied one right after the other
 */
export function checkBatchNormPairs(model: Module, options: FoldingOptions = {}): void {
  fold(model, options, { keep: false });
}
