import { type Kernels, kernels, type Module, setKernels } from "../../nn/index.js";
import * as torch from "../../torch/index.js";
import { type Dimension, OnnxError } from "./operator.js";

/** A tensor of a network, as far as it is the same for any number of images. */
export interface FollowedTensor {
  readonly shape: readonly Dimension[];
  readonly dtype: torch.DType;
  /** The elements, where they do not depend on the images. */
  readonly values: torch.TypedArray | undefined;
  /** The name of a constant in the network's state, where it has one. */
  readonly stateName: string | undefined;
}

export type FollowedArgument = FollowedTensor | readonly (FollowedTensor | undefined)[] | Plain;
type Plain = Exclude<torch.TracedArgument, torch.TracedTensor | readonly (torch.TracedTensor | undefined)[]>;

/** A call of an operator that holds for any number of images. */
export interface FollowedCall {
  /** Without namespace and overload, such as "conv2d". */
  operator: string;
  arguments: Readonly<Record<string, FollowedArgument>>;
  results: readonly FollowedTensor[];
  /** The path of the layer that calls it; empty for the network itself. */
  layer: string;
}

export interface Followed {
  calls: readonly FollowedCall[];
  input: FollowedTensor;
  output: FollowedTensor;
}

/** The numbers of images with which a network is tried: what differs between the two depends on the number. */
const [FEW, MORE] = [2, 3] as const;

/**
 * Finds out what a frozen network computes, operator by operator, by letting it answer two batches of different sizes.
 *
 * @param size channels, rows and columns of the images
 * @throws OnnxError naming the layer where it does what a graph of operators cannot, or something else for other batches
 */
export function follow(
  model: Module,
  size: readonly [channels: number, height: number, width: number],
): Followed {
  const before = kernels();
  const plain: Kernels = "libtorch";
  setKernels(plain);
  try {
    using few = traceOf(model, [FEW, ...size]);
    using more = traceOf(model, [MORE, ...size]);
    return merge(model, few, more);
  } finally {
    setKernels(before);
  }
}

function traceOf(model: Module, shape: readonly number[]): torch.Trace {
  const path: string[] = [];
  const place = () => path.at(-1) ?? "";
  const restore = [...new Map([...model.namedModules()].map(([name, module]) => [module, name]))].map(
    ([module, name]) => noteLayer(module, name, path),
  );
  using input = torch.keep(torch.randn([...shape], { generator: new torch.Generator(0) }));
  try {
    return torch.trace([input], () => model.forward(input), { place });
  } catch (error) {
    if (!(error instanceof torch.TraceError)) throw error;
    throw new OnnxError(error.place, error.message);
  } finally {
    for (const undo of restore) undo();
  }
}

/** Lets a module note its path while it computes. What is computed together with others goes layer by layer meanwhile. */
function noteLayer(module: Module, name: string, path: string[]): () => void {
  const before = Object.getOwnPropertyDescriptor(module, "forward");
  const forward = module.forward as (...args: unknown[]) => torch.Tensor;
  const noting = (...args: unknown[]) => {
    path.push(name);
    try {
      return forward.apply(module, args);
    } finally {
      path.pop();
    }
  };
  // Not enumerable, since a module's fields are its content.
  Object.defineProperty(module, "forward", { value: noting, configurable: true, writable: true });
  return () => {
    if (before) Object.defineProperty(module, "forward", before);
    else Reflect.deleteProperty(module, "forward");
  };
}

/** Puts two traces of one network together. @throws OnnxError where they differ in more than the number of images */
function merge(model: Module, few: torch.Trace, more: torch.Trace): Followed {
  const names = namesOf(model, few);
  const merged = new Map<torch.TracedTensor, FollowedTensor>();

  for (const [i, call] of few.calls.entries()) {
    if (call.operator !== more.calls[i]?.operator) throw different(call.place);
  }
  if (few.calls.length !== more.calls.length) throw different("");
  const input = tensor(few.inputs[0]!, more.inputs[0]!, "");
  const calls = few.calls.map((call, i) => {
    const other = more.calls[i]!;
    const { place: layer } = call;
    const given = Object.entries(call.arguments).map(([name, value]) => [
      name,
      argument(value, other.arguments[name], layer),
    ]);
    return {
      operator: call.operator.replace(/^aten::/, ""),
      arguments: Object.fromEntries(given),
      results: call.results.map((result, j) => tensor(result, other.results[j]!, layer)),
      layer,
    };
  });
  return { calls, input, output: tensor(few.outputs[0]!, more.outputs[0]!, "") };

  function argument(one: torch.TracedArgument, two: torch.TracedArgument, layer: string): FollowedArgument {
    if (isTraced(one) && isTraced(two)) return tensor(one, two, layer);
    if (Array.isArray(one) && Array.isArray(two) && one.some(isTraced)) {
      if (one.length !== two.length) throw different(layer);
      return one.map((each, i) => each && tensor(each, two[i], layer));
    }
    // Lists of numbers are shapes: that of the result tells which of its numbers is the number of images.
    return one as Plain;
  }

  function tensor(one: torch.TracedTensor, two: torch.TracedTensor, layer: string): FollowedTensor {
    const known = merged.get(one);
    if (known) return known;
    if (one.isConstant !== two.isConstant || one.shape.length !== two.shape.length) throw different(layer);
    const shape = one.shape.map((size, i) => dimension(size, two.shape[i]!, layer));
    const stateName = names.get(one);
    const values = one.isConstant ? constant(one, two, layer, stateName) : undefined;
    const followed = { shape, dtype: one.dtype, values, stateName };
    merged.set(one, followed);
    return followed;
  }

  function constant(one: torch.TracedTensor, two: torch.TracedTensor, layer: string, stateName?: string) {
    const values = few.read(one);
    if (stateName !== undefined) return values;
    // What the network makes of its own may not depend on the number of images, nor on chance.
    const others = more.read(two);
    const isSame = values.length === others.length && values.every((value, i) => Object.is(value, others[i]));
    if (!isSame)
      throw new OnnxError(
        layer,
        "makes a tensor that is not the same each time, or for another number of images",
      );
    return values;
  }
}

const isTraced = (value: unknown): value is torch.TracedTensor =>
  typeof value === "object" && value !== null && "isConstant" in value;

function dimension(few: number, more: number, layer: string): Dimension {
  if (few === more) return few;
  if (few === FEW && more === MORE) return "N";
  throw new OnnxError(
    layer,
    "gives a tensor whose size depends on the number of images in another way than being that number",
  );
}

const different = (layer: string) => new OnnxError(layer, "does something else for another number of images");

function namesOf(model: Module, trace: torch.Trace): Map<torch.TracedTensor, string> {
  const found = new Map<torch.TracedTensor, string>();
  for (const [name, tensor] of [...model.namedParameters(), ...model.namedBuffers()]) {
    const traced = trace.find(tensor);
    if (traced?.isConstant) found.set(traced, name);
  }
  return found;
}
