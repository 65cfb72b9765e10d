import { h, setTensorClass, wrapOptional } from "./dispatch.js";
import { format } from "./format.js";
import { TensorMethods } from "./generated/methods.js";
import { native } from "./native.js";
import { free, type Scope, track } from "./scope.js";
import type { Device, DType, MemoryFormat, TypedArray } from "./types.js";
import type { WeakGroup } from "./unscoped.js";

/** Nested arrays of numbers, as deep as a tensor has dimensions. */
export type NestedNumbers = number | readonly NestedNumbers[];

const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** The most arrays and numbers that {@link Tensor.tolist} makes, which still fit into reasonable memory. */
const longestList = 2 ** 28;

/**
 * A multi-dimensional array on libtorch. Methods that stand for operators carry PyTorch's names in camelCase;
 * those that end in an underscore write in place.
 *
 * Its memory is freed at the end of the `torch.scope` it was made in, by {@link Tensor.dispose}, or some time after
 * the last reference is gone. Using it afterwards throws.
 */
export class Tensor extends TensorMethods {
  /** @internal */
  handle: number;
  /** @internal */
  owner: Scope | undefined;
  /** @internal */
  group: WeakGroup | undefined;
  /** @internal */
  older: Tensor | undefined;

  /** @internal Takes the handle over. Tensors are made by `torch.tensor`, `torch.zeros` and operators. */
  constructor(handle: number) {
    super();
    this.handle = handle;
    this.owner = undefined;
    this.group = undefined;
    this.older = undefined;
    track(this);
  }

  get shape(): readonly number[] {
    return native.shape(this.handle);
  }

  /** The distance between neighbours along each dimension, in elements. */
  get strides(): readonly number[] {
    return native.strides(this.handle);
  }

  get dtype(): DType {
    return native.dtype(this.handle) as DType;
  }

  get device(): Device {
    return native.device(this.handle) as Device;
  }

  /** The number of elements. */
  get numel(): number {
    return native.numel(this.handle);
  }

  get disposed(): boolean {
    return this.handle === 0;
  }

  get requiresGrad(): boolean {
    return native.requiresGrad(this.handle);
  }

  /** Whether the elements lie without gaps in the given order. */
  isContiguous(memoryFormat: "contiguous" | "channelsLast" = "contiguous"): boolean {
    return native.isContiguous(this.handle, memoryFormat);
  }

  /** Asks for gradients of this tensor, or stops asking. */
  requiresGrad_(on = true): this {
    native.setRequiresGrad(this.handle, on);
    return this;
  }

  /** The gradient that `backward` left here; set it to undefined to clear it. */
  get grad(): Tensor | undefined {
    return wrapOptional(native.grad(this.handle));
  }

  set grad(gradient: Tensor | undefined) {
    native.setGrad(this.handle, h(gradient) ?? 0);
  }

  /**
   * Adds the gradients of this tensor to the leaves it was computed from.
   *
   * @param gradient what flows in; may be left out for a scalar
   */
  backward(gradient?: Tensor, { retainGraph = false }: { retainGraph?: boolean } = {}): void {
    native.backward([this.handle], gradient ? [h(gradient)!] : [], retainGraph);
  }

  /**
   * The value of a tensor with one element: a number, 0 or 1 for a bool, and a bigint only where an int64 does not
   * fit a number.
   */
  item(): number {
    const value = this.itemScalar();
    return typeof value === "boolean" ? Number(value) : (value as number);
  }

  /** A copy in another dtype, device or memory format; this tensor itself where nothing changes. */
  to(options: { dtype?: DType; device?: Device; memoryFormat?: MemoryFormat }): Tensor {
    const { dtype, device, memoryFormat = "preserve" } = options;
    const stays =
      (device === undefined || device === this.device) && (dtype === undefined || dtype === this.dtype);
    if (stays) {
      return memoryFormat === "preserve" ? this : this.contiguous(memoryFormat);
    }
    return this.toDevice(device ?? this.device, dtype ?? this.dtype, false, false, memoryFormat);
  }

  /**
   * The elements, row by row, as a new typed array. float16 and bfloat16 come as Float32Array, int64 as
   * BigInt64Array, bool as Uint8Array.
   */
  toTypedArray(): TypedArray {
    const dtype = this.dtype;
    if (dtype === "float16" || dtype === "bfloat16") {
      using wide = this.detach().to({ dtype: "float32" });
      return wide.toTypedArray();
    }
    const Typed = arrayOf[dtype];
    if (!Typed)
      throw new TypeError(`a tensor of dtype ${dtype} has no typed array: convert it with to({ dtype })`);
    const into = new Typed(this.numel);
    using here = this.detach().to({ device: "cpu", dtype });
    using dense = here.contiguous();
    native.read(dense.handle, into);
    return into;
  }

  /**
   * The elements as nested arrays, a bare number for a scalar. int64 loses precision beyond 2^53.
   *
   * @throws RangeError when that is more arrays and numbers than JavaScript can hold
   */
  tolist(): NestedNumbers {
    const shape = this.shape;
    // An empty tensor may have any number of empty rows.
    let parts = 1;
    for (const size of shape) {
      parts *= size;
      if (parts > longestList)
        throw new RangeError(`tolist: a tensor of shape [${shape}] has too many parts`);
    }
    const flat = Array.from(this.toTypedArray() as ArrayLike<number | bigint>, Number);
    let position = 0;
    const build = (dimension: number): NestedNumbers =>
      dimension === shape.length
        ? flat[position++]!
        : Array.from({ length: shape[dimension]! }, () => build(dimension + 1));
    return build(0);
  }

  /** Frees the memory now. A second call does nothing. */
  dispose(): void {
    free(this);
  }

  [Symbol.dispose](): void {
    free(this);
  }

  override toString(): string {
    return this.disposed ? "tensor(disposed)" : format(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

setTensorClass(Tensor);

/** Whether a value is a tensor, a disposed one included. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}
