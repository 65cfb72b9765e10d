import * as torch from "../torch/index.js";
import { Parameter } from "./parameter.js";
import { checkNames } from "./state-errors.js";

/** What tensors are to become; whatever is left out stays as it is. */
export interface Placement {
  device?: torch.Device;
  /** The dtype of floating tensors; counters keep theirs. */
  dtype?: torch.DType;
  /** The order of memory of tensors with four dimensions. */
  memoryFormat?: torch.MemoryFormat;
}

/**
 * A part of a network: tensors, further modules, and `forward`, a function of them.
 *
 * Its fields are its content, alone or in arrays: a {@link Parameter} is trained; any other tensor is a buffer, saved but
 * not trained; modules are its parts. `#private` fields are not seen: what stands there is neither trained, moved nor
 * saved. Names are the fields' paths (`layer1.0.conv1.weight`), with those of tensors in snake case as PyTorch writes
 * them (`bn1.running_mean`).
 *
 * What a module computes is what its `forward` says, whatever its fields are called: Lyceum computes layers together only
 * where it knows their classes. A subclass that overrides `forward` is computed by that `forward`.
 */
export abstract class Module {
  /** Whether layers that behave differently in training and in evaluation (batch norm) are to train. */
  training = true;

  /**
   * Computes the module's result. It must not write to `x`, which others may need.
   *
   * @param x usually [N, C, H, W]
   */
  abstract forward(x: torch.Tensor): torch.Tensor;

  /**
   * Pairs of fields, a convolution and the batch norm that `forward` always applies right after it, with nothing else using
   * the convolution's result. `nn.foldBatchNorm` makes one convolution of each pair, and refuses one that is not so.
   */
  batchNormPairs(): readonly (readonly [convolution: string, batchNorm: string])[] {
    return [];
  }

  /** Every module in here by path, itself first under the empty name. A shared one comes under each of its paths. */
  namedModules(): Map<string, Module> {
    const found = new Map<string, Module>();
    const visit = (path: string, module: Module) => {
      found.set(path, module);
      for (const [name, child] of contentOf(module)) {
        if (child instanceof Module) visit(path ? `${path}.${name}` : name, child);
      }
    };
    visit("", this);
    return found;
  }

  /** All parameters by name. A shared one comes under each of its names. */
  namedParameters(): Map<string, Parameter> {
    return this.namedTensors((tensor) => tensor instanceof Parameter) as Map<string, Parameter>;
  }

  /** All tensors that are saved but not trained, by name. */
  namedBuffers(): Map<string, torch.Tensor> {
    return this.namedTensors((tensor) => !(tensor instanceof Parameter));
  }

  /** All parameters, each once, also where several fields share one. */
  parameters(): Parameter[] {
    return [...new Set(this.namedParameters().values())];
  }

  /** Sets the mode of this module and all in it. */
  train(mode = true): this {
    for (const module of this.namedModules().values()) module.training = mode;
    return this;
  }

  /** Sets evaluation mode: `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** Asks for gradients of all parameters, or freezes them. */
  requiresGrad_(on = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(on);
    return this;
  }

  /** Moves or converts all tensors in place; gradients are dropped. Only floating tensors change dtype. */
  to({ device, dtype, memoryFormat }: Placement): this {
    torch.noGrad(() =>
      torch.scope(() => {
        for (const tensor of this.allTensors().values()) {
          const floating = tensor.dtype.includes("float");
          const moved = tensor.detach().to({
            ...(device && { device }),
            ...(dtype && floating && { dtype }),
          });
          // Memory formats are of images and convolution weights: [N, C, H, W].
          const laid = memoryFormat && moved.shape.length === 4 ? moved.contiguous(memoryFormat) : moved;
          tensor.grad = undefined;
          torch.op("aten::set_data", tensor, laid);
        }
      }),
    );
    return this;
  }

  /** All parameters and buffers by name, detached, sharing memory with the module: copy what must not change. */
  stateDict(): Record<string, torch.Tensor> {
    return Object.fromEntries([...this.allTensors()].map(([name, tensor]) => [name, tensor.detach()]));
  }

  /**
   * Copies tensors into the parameters and buffers of the same names, converting dtype and device.
   *
   * @param options.strict false leaves names alone that only one side has
   * @throws Error that names what is missing, unexpected or of another shape (of each, the first ten); nothing is
   *   copied then
   */
  loadStateDict(state: Readonly<Record<string, torch.Tensor>>, { strict = true } = {}): void {
    const own = this.allTensors();
    checkNames(own, state, strict);
    torch.noGrad(() => {
      for (const [name, tensor] of own) {
        if (Object.hasOwn(state, name)) tensor.copy_(state[name]!);
      }
    });
  }

  /** Frees all parameters and buffers. */
  dispose(): void {
    for (const tensor of this.allTensors().values()) tensor.dispose();
  }

  private allTensors(): Map<string, torch.Tensor> {
    return this.namedTensors(() => true);
  }

  private namedTensors(wanted: (tensor: torch.Tensor) => boolean): Map<string, torch.Tensor> {
    const found = new Map<string, torch.Tensor>();
    for (const [path, module] of this.namedModules()) {
      for (const [name, value] of contentOf(module)) {
        if (!torch.isTensor(value) || !wanted(value)) continue;
        found.set(path ? `${path}.${snake(name)}` : snake(name), value);
      }
    }
    return found;
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** @internal An object's fields by name; what stands in an array comes by the array's name and its position. */
export function* contentOf(holder: object): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(holder)) {
    if (!Array.isArray(value)) yield [name, value];
    else for (const [path, item] of contentOf(value)) yield [`${name}.${path}`, item];
  }
}
