import { maskedCrc32c } from "./crc32c.js";

/** One record of TensorFlow's record files: the length, its check, the content, its check; numbers little-endian. */
export function recordOf(content: Uint8Array): Uint8Array {
  const record = new Uint8Array(12 + content.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(content, 12);
  view.setUint32(12 + content.length, maskedCrc32c(content), true);
  return record;
}
