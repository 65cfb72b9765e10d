/** The element types that Lyceum names. Tensors of libtorch's others can be made with `torch.op` but not be read. */
export const dtypes = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "uint8",
  "bool",
] as const;
export type DType = (typeof dtypes)[number];

/** Where a tensor lives: `"cpu"`, `"cuda"` (the current card), `"cuda:1"`. */
export type Device = "cpu" | "cuda" | `cuda:${number}`;

/** The order of a tensor's elements in memory; `channelsLast` is NHWC for a tensor of shape [N, C, H, W]. */
export type MemoryFormat = "contiguous" | "channelsLast" | "preserve";

/** The typed arrays that tensors are made of and read into. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | BigInt64Array;

/** A number among tensors. Whole numbers count as integers, so that integer tensors stay integer. */
export type Scalar = number | bigint | boolean;
