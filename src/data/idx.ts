import { type ByteSource, readBytes } from "./byte-source.js";
import { DataError } from "./data-error.js";

/** The bytes of an IDX file's header, by the number of dimensions. */
export const idxHeaderBytes = (dimensions: number) => 4 + 4 * dimensions;

/**
 * Reads an IDX file of unsigned bytes (LeCun's format of MNIST): 0, 0, type 8, number of dimensions, each
 * dimension as a big-endian 32-bit number, then the elements.
 *
 * @param dimensions what the header must say
 * @param into where the elements go; as long as the product of the dimensions
 * @throws DataError when the header says something else or the size is wrong
 */
export async function readIdx(
  source: ByteSource,
  dimensions: readonly number[],
  into: Uint8Array,
): Promise<void> {
  const { file, remedy } = source;
  const header = Buffer.alloc(idxHeaderBytes(dimensions.length));
  const magic = 0x0800 + dimensions.length;
  await readBytes(source, header.length + into.length, (chunk, offset) => {
    let body = chunk;
    if (offset < header.length) {
      body = chunk.subarray(header.length - offset);
      header.set(chunk.subarray(0, header.length - offset), offset);
      if (offset + chunk.length < header.length) return;
      const found = header.readUInt32BE(0);
      if (found !== magic) {
        const problem = `magic number ${hex(found)}, expected ${hex(magic)}`;
        throw new DataError({ file, offset: 0 }, problem, remedy);
      }
      dimensions.forEach((expected, i) => {
        const size = header.readUInt32BE(4 + 4 * i);
        if (size === expected) return;
        const problem = `dimension ${i} is ${size}, expected ${expected}`;
        throw new DataError({ file, offset: 4 + 4 * i }, problem, remedy);
      });
    }
    into.set(body, Math.max(0, offset - header.length));
  });
}

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;

/**
 * Reads the labels of an IDX file.
 *
 * @throws DataError, naming the byte, when a label is not below `classes`
 */
export async function readIdxLabels(source: ByteSource, count: number, classes: number): Promise<Int32Array> {
  const bytes = new Uint8Array(count);
  await readIdx(source, [count], bytes);
  const wrong = bytes.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    const at = { file: source.file, offset: idxHeaderBytes(1) + wrong };
    throw new DataError(at, `label ${bytes[wrong]}, expected 0..${classes - 1}`, source.remedy);
  }
  return Int32Array.from(bytes);
}
