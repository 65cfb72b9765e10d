import type { Tensor } from "../tensor.js";
import { reservedKeys } from "./checksum.js";
import { checkMetadata, codes, metadataKey, type Placed, widths } from "./header.js";

/** Where tensors will stand in a file's data, in the order of their bytes, and the text beside them. */
export interface Layout {
  placed: Placed[];
  metadata: Record<string, string>;
  /** The length of the data in bytes. */
  bytes: number;
}

/**
 * Gives tensors their places: the widest dtype first, so that each stands on a multiple of its width, then in name order.
 *
 * @param path the file's, for messages
 * @throws Error when a dtype has no code in the format, or metadata are not text or go by one of the checksum's names
 */
export function layOut(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): Layout {
  const text = checkMetadata(path, metadata);
  const reserved = reservedKeys.find((key) => key in text);
  if (reserved) throw new Error(`${path}: metadata ${reserved} is the checksum's own name: choose another`);
  const listed = Object.keys(tensors)
    .sort()
    .map((name) => {
      const { dtype, shape, numel } = tensors[name]!;
      if (name === metadataKey || !codes[dtype])
        throw new Error(`${path}: cannot store tensor ${JSON.stringify(name)} of dtype ${dtype}`);
      return { name, dtype, shape: [...shape], bytes: numel * widths[dtype] };
    })
    .sort((a, b) => widths[b.dtype] - widths[a.dtype]);
  let offset = 0;
  const placed = listed.map(({ bytes, ...tensor }) => {
    const begin = offset;
    offset += bytes;
    return { ...tensor, begin, end: offset };
  });
  return { placed, metadata: text, bytes: offset };
}
