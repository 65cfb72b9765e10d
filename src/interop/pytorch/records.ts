/** What a state dict's pickle says of its tensors. The numbers themselves are kept outside of the pickle. */

/** The element types that a storage can have; Lyceum's own and two narrow ones, which become int32. */
export type StorageType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

/** Bytes of one element. */
export const widths: Readonly<Record<StorageType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** A run of numbers in the archive, which several tensors may share. */
export class StorageRecord {
  constructor(
    /** The name of its entry in the archive's folder `data/`. */
    readonly key: string,
    readonly type: StorageType,
    /** How many elements it has. */
    readonly count: number,
  ) {}
}

/** A tensor: a view of a storage. All numbers are checked to stay within it. */
export class TensorRecord {
  constructor(
    readonly storage: StorageRecord,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  get numel(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** The bytes of its elements, in its storage's type. */
  get bytes(): number {
    return this.numel * widths[this.storage.type];
  }
}

/** More dimensions than any weight has, and as many as libtorch takes. */
const MOST_DIMENSIONS = 64;
/** A bound on products of sizes, below which no multiplication rounds. */
const MOST_ELEMENTS = 2 ** 46;

/**
 * Checks that a tensor lies within its storage.
 *
 * @throws Error that says in what it does not
 */
export function checkedTensor(
  storage: StorageRecord,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): TensorRecord {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  if (shape.length > MOST_DIMENSIONS || shape.length !== strides.length)
    throw new Error(`a tensor has ${shape.length} sizes and ${strides.length} strides`);
  if (![offset, ...shape, ...strides].every(isCount))
    throw new Error(
      `a tensor's sizes, strides and offset are no counts: [${shape}], [${strides}], ${offset}`,
    );
  // libtorch multiplies the sizes of an empty tensor too, each 0 taken for 1.
  const product = shape.reduce((elements, size) => elements * Math.max(1, size), 1);
  if (product > MOST_ELEMENTS) throw new Error(`a tensor of sizes [${shape}] is impossible`);
  const isEmpty = shape.includes(0);
  const last = shape.reduce((at, size, i) => at + (size - 1) * strides[i]!, offset);
  const outside = isEmpty ? offset > storage.count : last >= storage.count;
  if (outside || (!isEmpty && product > storage.count)) {
    throw new Error(
      `a tensor of sizes [${shape}], strides [${strides}] and offset ${offset} is out of the range of its storage ` +
        `${JSON.stringify(storage.key.slice(0, 100))}, which has ${storage.count} elements`,
    );
  }
  return new TensorRecord(storage, offset, shape, strides);
}
