import { native } from "../native.js";
import type { Tensor } from "../tensor.js";
import { type Placed, widths } from "./header.js";
import { type Layout, layOut } from "./layout.js";
import { writeSafetensors } from "./write.js";

/** Copies a tensor's elements, in order, into as many bytes as they take. */
function readInto(tensor: Tensor, bytes: Uint8Array): Uint8Array {
  native.copyOut(tensor.handle, bytes);
  return bytes;
}

/**
 * Writes tensors under their names: the widest dtype first, so that each stands on a multiple of its width, then in
 * name order. The file appears whole or not at all, and carries a checksum of all that is in it in two entries of its
 * metadata, `lyceum.checksum` and `lyceum.sha256`, which other readers take for any text.
 *
 * @param metadata free text, kept beside the tensors
 * @throws Error when the file cannot be written, a dtype has no code in the format, or metadata are not text or go by one
 *   of the checksum's names
 */
export function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeSafetensors(path, layOut(path, tensors, metadata), ({ name }: Placed) => {
    const tensor = tensors[name]!;
    return readInto(tensor, new Uint8Array(tensor.numel * widths[tensor.dtype]));
  });
}

/** What a file is to hold, as bytes: plain data, which another thread can write. */
export interface TensorBytes extends Layout {
  /** The data of the file; it may be longer than `bytes`. */
  data: ArrayBuffer;
}

/**
 * Copies tensors at one moment, so that a file of them can be written while they change.
 *
 * @param path the file's, for messages
 * @param room memory that is used again where it is large enough
 * @throws Error as {@link saveSafetensors} does, but for writing
 */
export function copyToBytes(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
  room?: ArrayBuffer,
): TensorBytes {
  const layout = layOut(path, tensors, metadata);
  const data = room && room.byteLength >= layout.bytes ? room : new ArrayBuffer(layout.bytes);
  for (const { name, begin, end } of layout.placed)
    readInto(tensors[name]!, new Uint8Array(data, begin, end - begin));
  return { ...layout, data };
}
