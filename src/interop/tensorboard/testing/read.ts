/** Reads record files and protocol buffers from their descriptions alone, knowing no message: for tests. */
import { maskedCrc32c } from "../crc32c.js";

/** The contents of the records. @throws Error where one is damaged or cut short */
export function recordsOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    if (view.getUint32(at + 8, true) !== maskedCrc32c(file.subarray(at, at + 8))) throw new Error("length");
    const content = file.slice(at + 12, at + 12 + length);
    if (content.length < length) throw new Error("cut short");
    if (view.getUint32(at + 12 + length, true) !== maskedCrc32c(content)) throw new Error("content");
    found.push(content);
    at += 16 + length;
  }
  return found;
}

/** The values of a message by their numbers: bigints, doubles, floats, and bytes for all else. */
export type Fields = Record<number, (bigint | number | Uint8Array)[]>;

/** @throws Error where it is no message */
export function fieldsOf(message: Uint8Array): Fields {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const fields: Fields = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    fields[key >>> 3] ??= [];
    fields[key >>> 3]!.push(value(key & 7));
  }
  return fields;

  function value(type: number): bigint | number | Uint8Array {
    if (type === 0) return varint();
    if (type === 1) {
      at += 8;
      return view.getFloat64(at - 8, true);
    }
    if (type === 5) {
      at += 4;
      return view.getFloat32(at - 4, true);
    }
    if (type !== 2) throw new Error(`no such type of field: ${type}`);
    const length = Number(varint());
    at += length;
    return message.slice(at - length, at);
  }
}
