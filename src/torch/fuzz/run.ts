/** Runs the programs of `plans.ts`. */
import * as torch from "../index.js";
import { native } from "../native.js";
import type { Plan, Program, Step, TensorPlan } from "./plans.js";

export interface Watcher {
  /** A step is about to start. */
  begins(step: number): void;
  /** Whether calls of this operator are left out. */
  skips?(op: string): boolean;
  /** A call of an operator has ended: it returned or threw. Those in the background count as returned. */
  called?(op: string, returned: boolean): void;
}

/** Functions that are not called, since they have effects beyond this process or change it for the rest of the run. */
const leftOut = new Set([
  "constructor",
  "saveSafetensors",
  "setNumThreads",
  "keepLargeBlocks",
  "keepSmallBlocks",
  "opAsync",
]);

const methods = [...new Set([...namesOf(torch.Tensor.prototype), "shape", "grad"])];
const functions = namesOf(torch);
// The addon's functions are properties once it is loaded, which the first use does.
native.version();
const rawFunctions = namesOf(native).filter((name) => !["enterInference", "setGradMode"].includes(name));

function namesOf(object: object): string[] {
  const names = new Set<string>();
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (!leftOut.has(name)) names.add(name);
  }
  return [...names].sort();
}

// The values are fixed rather than random, so that the same program again is the same run.
const patterns: Record<TensorPlan["fill"], readonly number[]> = {
  small: [0.5, -1.25, 2, 0.1, -0.3, 1.5],
  zeros: [0],
  ones: [1],
  counts: [0, 1, 2, 1, 0, 2, 3],
  negative: [-1, -2, -3, -100],
  extreme: [2 ** 63, -(2 ** 63), 2 ** 31, -(2 ** 31), 1e30, -1e300, 2 ** 40, -1],
  nan: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0],
  mixed: [0, -1, 2 ** 40, 3, Number.NaN, 1, 1e-40, -7],
};

/** Arrays of holes, by their length; made once, since each takes megabytes. */
const hollow = { 3: new Array(3), 2097152: new Array(2 ** 21), 4294967295: new Array(2 ** 32 - 1) };

class Run {
  private readonly made: torch.Tensor[] = [];

  constructor(
    private readonly program: Program,
    private readonly watcher: Watcher,
  ) {}

  /** Runs the steps, and returns the promises of those that run in the background. */
  run(): Promise<unknown>[] {
    const pending: Promise<unknown>[] = [];
    this.program.steps.forEach((step, i) => {
      const op = "op" in step ? step.op : undefined;
      if (op && this.watcher.skips?.(op)) return;
      this.watcher.begins(i);
      try {
        const result = this.step(step);
        if (op) this.watcher.called?.(op, true);
        if (result instanceof Promise) pending.push(result);
        // A function may hand a hollow array back.
        const results = Array.isArray(result) && result.length < 100 ? result : [result];
        for (const each of results) if (each instanceof torch.Tensor) this.made.push(each);
      } catch (error) {
        if (op) this.watcher.called?.(op, false);
        if (!(error instanceof Error)) throw new Error(`step ${i} threw ${String(error)}, which is no Error`);
      }
    });
    return pending;
  }

  private step(step: Step): unknown {
    if ("op" in step) {
      const args = step.args.map((arg) => this.value(arg));
      return step.background ? torch.opAsync(step.op, ...args) : torch.op(step.op, ...args);
    }
    if ("method" in step) {
      const name = methods[step.method % methods.length]!;
      const self = this.value(step.self);
      // biome-ignore lint/suspicious/noExplicitAny: whatever there is
      const found = (self as any)[name];
      const args = step.args.map((arg) => this.value(arg));
      return typeof found === "function" ? found.apply(self, args) : found;
    }
    if ("call" in step) {
      const name = functions[step.call % functions.length]!;
      // biome-ignore lint/suspicious/noExplicitAny: whatever there is
      return (torch as any)[name](...step.args.map((arg) => this.value(arg)));
    }
    if ("raw" in step) {
      const name = rawFunctions[step.raw % rawFunctions.length]!;
      const args = step.args.map((arg) => lowered(this.value(arg)));
      // biome-ignore lint/suspicious/noExplicitAny: whatever there is
      return name.startsWith("call") ? undefined : (native as any)[name](...args);
    }
    if ("backward" in step) {
      const gradient = this.value(step.gradient) as torch.Tensor;
      const of = this.tensorOf(step.backward);
      const sum = gradient === undefined ? torch.op("aten::sum", of) : of;
      return sum.backward(gradient, { retainGraph: step.retain });
    }
    if ("gradOf" in step) {
      const gradOutputs = this.value(step.gradient) as torch.Tensor[];
      const options = { gradOutputs, createGraph: step.createGraph };
      return torch.grad(
        this.value(step.gradOf) as torch.Tensor,
        this.value(step.inputs) as torch.Tensor[],
        options,
      );
    }
    const tensor = this.tensorOf(step.read);
    return [tensor.shape, tensor.strides, String(tensor), tensor.tolist(), tensor.grad, tensor.item()].length;
  }

  private tensorOf(plan: Plan): torch.Tensor {
    return this.value(plan) as torch.Tensor;
  }

  private value(plan: Plan): unknown {
    if ("value" in plan) return plan.value;
    if ("tensor" in plan) return this.keep(this.tensor(plan.tensor));
    if ("generator" in plan) return new torch.Generator(plan.generator);
    if ("holes" in plan) return hollow[plan.holes];
    if ("list" in plan) return plan.list.map((item) => this.value(item));
    if ("trap" in plan) {
      const item = this.value(plan.trap);
      const spring = () => {
        for (const tensor of this.tensors) tensor.dispose();
        return item;
      };
      return Object.defineProperty([0, item], 0, { get: spring });
    }
    const { length } = this.made;
    if (length === 0) return this.keep(this.tensor(plainTensor));
    return this.made[length - 1 - (plan.earlier % length)];
  }

  private readonly tensors: torch.Tensor[] = [];

  private keep(tensor: torch.Tensor): torch.Tensor {
    this.tensors.push(tensor);
    return tensor;
  }

  private tensor(plan: TensorPlan): torch.Tensor {
    const { shape: whole } = this.program;
    const size = plan.shape === "first" ? whole[0] : plan.shape === "second" ? whole[1] : whole.at(-1);
    const shape = Array.isArray(plan.shape) ? plan.shape : plan.shape === "whole" ? whole : [size ?? 1];
    const dtype = plan.dtype ?? this.program.dtype;
    let tensor = layOut(filled(shape, dtype, plan.fill), plan.layout);
    if (plan.grad && /float|complex/.test(dtype)) tensor = tensor.detach().requiresGrad_();
    if (plan.disposed) tensor.dispose();
    return tensor;
  }
}

const plainTensor: TensorPlan = {
  shape: "whole",
  dtype: undefined,
  layout: "contiguous",
  fill: "small",
  grad: true,
  disposed: false,
};

/** A tensor's handle, as the addon takes it. */
function lowered(value: unknown): unknown {
  if (value instanceof torch.Tensor) return value.handle;
  return Array.isArray(value) && value.length < 10 ? value.map(lowered) : value;
}

function filled(shape: number[], dtype: string, fill: TensorPlan["fill"]): torch.Tensor {
  const pattern = patterns[fill];
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float64Array.from({ length: count }, (_, i) => pattern[i % pattern.length]!);
  const wide = torch.tensor(values, { shape });
  if (dtype === "complex128") return torch.op("aten::complex", wide, wide);
  if (dtype === "complex64") {
    const half = wide.to({ dtype: "float32" });
    return torch.op("aten::complex", half, half);
  }
  return torch.op("aten::to.dtype", wide, dtype);
}

function layOut(tensor: torch.Tensor, layout: TensorPlan["layout"]): torch.Tensor {
  const shape = tensor.shape;
  const last = shape.length - 1;
  switch (layout) {
    case "transposed":
      return last > 0
        ? tensor.transpose(0, last).clone({ memoryFormat: "contiguous" }).transpose(0, last)
        : tensor;
    case "channelsLast":
      return shape.length === 4 ? tensor.contiguous("channelsLast") : tensor;
    case "strided":
      return last < 0 ? tensor : torch.cat([tensor, tensor], last).slice(last, 0, shape[last]! * 2, 2);
    case "expanded":
      return last < 0 || shape[0] === 0 ? tensor : tensor.narrow(0, 0, 1).expand([...shape]);
    case "offset":
      return last < 0 ? tensor : torch.cat([tensor, tensor], 0).narrow(0, shape[0]!, shape[0]!);
    case "overlapping":
      return tensor.numel === 0
        ? tensor
        : torch.op(
            "aten::as_strided",
            tensor,
            [...shape],
            shape.map(() => 0),
          );
    case "conjugate":
      return torch.op("aten::conj", tensor);
    case "negative":
      return torch.op("aten::_neg_view", tensor);
    default:
      return tensor;
  }
}

/** Runs a program, which must end and may only throw Errors. */
export async function run(program: Program, watcher: Watcher): Promise<void> {
  // A background step's tensors are freed while it runs: that must do no harm either.
  const pending: Promise<unknown>[] = [];
  torch.scope(() => {
    pending.push(...new Run(program, watcher).run());
  });
  for (const result of await Promise.allSettled(pending)) {
    if (result.status === "fulfilled") {
      for (const each of [result.value].flat()) if (each instanceof torch.Tensor) each.dispose();
    } else if (!(result.reason instanceof Error)) {
      throw new Error(`a background step rejected with ${String(result.reason)}, which is no Error`);
    }
  }
}
