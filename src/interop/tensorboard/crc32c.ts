/** The table of the remainders of single bytes by Castagnoli's polynomial, bits reversed. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});

/** The cyclic redundancy check of RFC 3720, appendix B.4 (CRC-32C). @returns 0 to 2^32 - 1 */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = table[(remainder ^ byte) & 255]! ^ (remainder >>> 8);
  return ~remainder >>> 0;
}

/** The check as records hold it: turned and moved, so that checks of data that hold checks stay good (TensorFlow's `Mask`). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const check = crc32c(bytes);
  return (((check >>> 15) | (check << 17)) + 0xa282ead8) >>> 0;
}
