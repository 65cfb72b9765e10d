/** Makes tensors of JavaScript's data. */
import { wrap } from "./dispatch.js";
import { native } from "./native.js";
import type { NestedNumbers, Tensor } from "./tensor.js";
import { type Device, type DType, dtypes, type TypedArray } from "./types.js";

export interface TensorOptions {
  dtype?: DType;
  /** The shape; of a typed array one dimension when left out, of nested arrays their own. */
  shape?: readonly number[];
  device?: Device;
  requiresGrad?: boolean;
}

function dtypeOf(data: unknown): DType | undefined {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return "uint8";
  return data instanceof BigInt64Array ? "int64" : undefined;
}

/** The shape that nested arrays have if all are of one length at each depth. */
function shapeOf(data: NestedNumbers): number[] {
  const shape: number[] = [];
  let level: NestedNumbers = data;
  while (Array.isArray(level)) {
    shape.push(level.length);
    level = level[0] as NestedNumbers;
    if (shape.length > 64) throw new TypeError("torch.tensor: the arrays are nested more than 64 deep");
  }
  return shape;
}

function flatten(data: NestedNumbers, shape: readonly number[], depth: number, into: number[]): void {
  if (depth === shape.length) {
    if (typeof data !== "number" && typeof data !== "boolean") {
      throw new TypeError(
        `torch.tensor: expected a number, got ${Array.isArray(data) ? "an array" : typeof data}`,
      );
    }
    into.push(Number(data));
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[depth]) {
    throw new TypeError(
      `torch.tensor: the arrays are ragged: dimension ${depth} is not ${shape[depth]} everywhere`,
    );
  }
  for (const part of data) flatten(part, shape, depth + 1, into);
}

/** A typed array that holds the values without loss, and its dtype, for dtypes that JavaScript has no array of too. */
function carrierOf(values: number[], dtype: DType): [ArrayBufferView, DType] {
  if (dtype === "int64") return [BigInt64Array.from(values, BigInt), "int64"];
  if (dtype === "int32") return [Int32Array.from(values), "int32"];
  if (dtype === "uint8") return [Uint8Array.from(values), "uint8"];
  if (dtype === "bool") return [Uint8Array.from(values, (value) => (value ? 1 : 0)), "bool"];
  return dtype === "float32"
    ? [Float32Array.from(values), "float32"]
    : [Float64Array.from(values), "float64"];
}

/**
 * Makes a tensor with a copy of `data`: a number, nested arrays of numbers (float32 unless told), or a typed array.
 *
 * @throws TypeError when the arrays are ragged, hold no numbers, or do not fit `shape`
 */
export function tensor(data: NestedNumbers | TypedArray, options: TensorOptions = {}): Tensor {
  const given = dtypeOf(data);
  const dtype = options.dtype ?? given ?? "float32";
  if (!dtypes.includes(dtype)) {
    throw new TypeError(`torch.tensor: no dtype ${String(dtype)} (known: ${dtypes.join(", ")})`);
  }
  let made: Tensor;
  if (given) {
    const typed = data as TypedArray;
    made = wrap(native.fromBytes(typed, given, options.shape ?? [typed.length]));
  } else {
    const shape = shapeOf(data as NestedNumbers);
    const values: number[] = [];
    flatten(data as NestedNumbers, shape, 0, values);
    const [carrier, carried] = carrierOf(values, dtype);
    made = wrap(native.fromBytes(carrier, carried, options.shape ?? shape));
  }
  const { device = "cpu", requiresGrad = false } = options;
  const moved = made.to({ dtype, device });
  if (moved !== made) made.dispose();
  return requiresGrad ? moved.requiresGrad_() : moved;
}

/**
 * Makes a tensor that shares the memory of `data` and keeps it alive. Writes on either side are seen on the other.
 *
 * @throws TypeError when `data` does not stand on a SharedArrayBuffer: any other buffer can be detached by JavaScript
 *   while libtorch still reads it
 */
export function fromBuffer(data: TypedArray, shape: readonly number[] = [data.length]): Tensor {
  const dtype = dtypeOf(data);
  if (!dtype || !(data.buffer instanceof SharedArrayBuffer)) {
    throw new TypeError(
      "torch.fromBuffer takes a typed array on a SharedArrayBuffer; torch.tensor copies any other",
    );
  }
  return wrap(native.fromShared(data, dtype, shape));
}
