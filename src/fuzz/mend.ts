/** Makes checksums of damaged files fit again, so that what lies behind them is reached. */
import { crc32 } from "../interop/pytorch/crc32.js";
import { checksumOf } from "../runs/json-checksum.js";

/** The sum in each header of a tar archive, as far as the headers follow each other. */
export function mendTar(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; ) {
    const header = bytes.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const size = Number.parseInt(header.toString("latin1", 124, 136), 8) || 0;
    at += 512 + Math.ceil(Math.max(0, size) / 512) * 512;
  }
  return bytes;
}

/** The CRC-32 of each chunk of a PNG. */
export function mendPng(bytes: Buffer): Buffer {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (at + 12 + length > bytes.length) break;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, at + 8 + length)), at + 8 + length);
    at += 12 + length;
  }
  return bytes;
}

/** The CRC-32 of each stored entry of a zip archive, in the list of entries and before the entry. */
export function mendZip(bytes: Buffer): Buffer {
  const list = Buffer.from("PK\x01\x02", "latin1");
  for (let at = bytes.indexOf(list); at >= 0; at = bytes.indexOf(list, at + 4)) {
    if (at + 46 > bytes.length) break;
    const [size, local] = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 42)];
    if (local + 30 > bytes.length) continue;
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const sum = crc32(bytes.subarray(start, start + size));
    bytes.writeUInt32LE(sum, at + 16);
    bytes.writeUInt32LE(sum, local + 14);
  }
  return bytes;
}

/** The SHA-256 that a network's file of a study holds of what decided its training. */
export function mendNetwork(bytes: Buffer, sha256Of: (value: unknown) => string): Buffer {
  try {
    const file = JSON.parse(bytes.toString("utf8"));
    file.fingerprint = sha256Of(file.decides);
    return Buffer.from(JSON.stringify(file));
  } catch {
    return bytes;
  }
}

/** The checksum of a JSON file of a run, or of each line of its log, where there is one. */
export function mendRun(bytes: Buffer, path: string): Buffer {
  const mended = (text: string) => {
    try {
      const value = JSON.parse(text);
      return JSON.stringify("checksum" in value ? { ...value, checksum: checksumOf(value) } : value);
    } catch {
      return text;
    }
  };
  const text = bytes.toString("utf8");
  if (path.endsWith(".json")) return Buffer.from(mended(text));
  return path.endsWith(".jsonl") ? Buffer.from(text.split("\n").map(mended).join("\n")) : bytes;
}

/** The SHA-256 that Lyceum writes into a safetensors file is left out, as other programs' files have none. */
export function withoutDigest(bytes: Buffer): Buffer {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  for (const key of Object.keys(header.__metadata__ ?? {}))
    if (key.startsWith("lyceum.")) delete header.__metadata__[key];
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, bytes.subarray(8 + length)]);
}
