import { writeFileSync } from "node:fs";

/** Writes a safetensors file of any header and data, whether they fit each other or not. */
export function writeRaw(
  path: string,
  header: unknown,
  data: Uint8Array = new Uint8Array(),
  length?: bigint,
): void {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = Buffer.from(json);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(bytes.length));
  writeFileSync(path, Buffer.concat([size, bytes, data]));
}

/** What a header says of one tensor. */
export const entry = (dtype: unknown, shape: unknown, data_offsets: unknown) => ({
  dtype,
  shape,
  data_offsets,
});
