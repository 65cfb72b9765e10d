/** Reads the safetensors files that the bench writes: numbers as float32, labels as int32. */
import { readFileSync } from "node:fs";

export function loadSafetensors(path) {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + length));
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    // A copy begins at an address that suits every type.
    const bytes = file.buffer.slice(
      file.byteOffset + 8 + length + offsets[0],
      file.byteOffset + 8 + length + offsets[1],
    );
    tensors[name] = { shape, values: valuesOf(dtype, bytes) };
  }
  return tensors;
}

function valuesOf(dtype, bytes) {
  if (dtype === "F32") return new Float32Array(bytes);
  if (dtype === "I64") return Int32Array.from(new BigInt64Array(bytes), Number);
  if (dtype === "U8") return new Uint8Array(bytes);
  throw new Error(`no use for ${dtype}`);
}
