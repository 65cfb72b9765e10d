import * as torch from "../../torch/index.js";
import type { StorageType, TensorRecord } from "./records.js";

/** The bytes of a storage as tensors of elements, which are made once for each type; in the scope that is open. */
export class Elements {
  readonly #bytes: Uint8Array;
  readonly #flat = new Map<StorageType, torch.Tensor>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Makes a tensor of its own memory. */
  tensorOf({ storage, offset, shape, strides }: TensorRecord): torch.Tensor {
    if (shape.includes(0)) return elements(new Uint8Array(0), storage.type).reshape(shape);
    const flat = this.#flat.get(storage.type) ?? elements(this.#bytes, storage.type);
    this.#flat.set(storage.type, flat);
    const view: torch.Tensor = torch.op("aten::as_strided", flat, shape, strides, offset);
    // A plain `clone` would keep the strides.
    return torch.emptyLike(view, { memoryFormat: "contiguous" }).copy_(view);
  }
}

/** The elements that bytes stand for, in one dimension; int16 and int8 as int32. */
function elements(bytes: Uint8Array, type: StorageType): torch.Tensor {
  const { buffer, byteOffset, length } = bytes;
  if (type === "int16") return torch.tensor(Int32Array.from(new Int16Array(buffer, byteOffset, length / 2)));
  if (type === "int8") return torch.tensor(Int32Array.from(new Int8Array(buffer, byteOffset, length)));
  const raw = torch.tensor(bytes);
  if (type === "uint8") return raw;
  // A bool of any other byte than 0 and 1 is undefined behaviour in C++.
  if (type === "bool") return raw.to({ dtype: "bool" });
  return torch.op("aten::view.dtype", raw, type);
}
