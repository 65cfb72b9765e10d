/** Counts what a network's layers compute and how much memory they touch, from their shapes in one forward. */
import { nn, type torch } from "lyceum";

/** One layer: the floating-point operations and the elements of memory of one forward of a batch. */
export interface Layer {
  kind: "product" | "norm";
  /** By the definition, a multiplication and an addition for each weight and value; Winograd's algorithm needs fewer. */
  flops: number;
  /** The number of elements that go in. */
  input: number;
  output: number;
  weights: number;
}

function layerOf(module: nn.Module, given: torch.Tensor, output: torch.Tensor): Layer | undefined {
  const folded = module instanceof nn.FoldedConvolution ? module : undefined;
  const part = folded?.convolution ?? module;
  const isNorm = part instanceof nn.BatchNorm2d;
  if (!(isNorm || part instanceof nn.Conv2d || part instanceof nn.Linear)) return undefined;
  const input = folded?.inputOf(given) ?? given;
  const sizes = { input: input.numel, output: output.numel };
  if (isNorm) return { kind: "norm", flops: 0, ...sizes, weights: 2 * part.weight.numel };
  const { weight, bias } = part;
  const flops = 2 * output.numel * (weight.numel / weight.shape[0]!);
  return { kind: "product", flops, ...sizes, weights: weight.numel + (bias?.numel ?? 0) };
}

/** The layers in the order in which `forward` calls them. Groups and dilation are assumed to be 1. */
export function countLayers(model: nn.Module, forward: () => void): Layer[] {
  const layers: Layer[] = [];
  const watched: nn.Module[] = [];
  const modules = [...model.namedModules().values()];
  const inner = new Set(
    modules.map((module) => module instanceof nn.FoldedConvolution && module.convolution),
  );
  for (const module of modules) {
    // A folded convolution is counted where it was folded into, which does not always call it.
    if (module instanceof nn.Conv2d && inner.has(module)) continue;
    // What stands in its old place computes nothing, and its result has no shape.
    if (module instanceof nn.DeferredConvolution) continue;
    const original = module.forward.bind(module) as (...given: unknown[]) => torch.Tensor;
    const watch = (x: torch.Tensor, ...others: unknown[]) => {
      const y = original(x, ...others);
      const layer = layerOf(module, x, y);
      if (layer) layers.push(layer);
      return y;
    };
    module.forward = watch;
    watched.push(module);
  }
  // libtorch's kernels go layer by layer; a fused operator calls none of the layers that it computes.
  const chosen = nn.kernels();
  nn.setKernels("libtorch");
  try {
    forward();
  } finally {
    nn.setKernels(chosen);
    // Deleting the instance's `forward` uncovers that of its class.
    for (const module of watched) Reflect.deleteProperty(module, "forward");
  }
  return layers;
}
