import * as zlib from "node:zlib";

/** The remainders of all bytes by the polynomial of CRC-32, the lowest bit first. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 by a table, for Node before 20.15, which has none of its own. */
export function crc32ByTable(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ table[(value ^ byte) & 255]!;
  return (value ^ 0xffffffff) >>> 0;
}

const own = (zlib as { crc32?: (bytes: Uint8Array) => number }).crc32;

/** The CRC-32 of bytes, as zip files have it (ISO 3309). */
export const crc32: (bytes: Uint8Array) => number = own ?? crc32ByTable;
