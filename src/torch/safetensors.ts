/**
 * Reads and writes safetensors: 8 bytes of header length, a JSON header, then raw little-endian data. A file holds
 * nothing that could run, and is checked whole before any of its bytes become a tensor.
 *
 * Format: https://github.com/huggingface/safetensors
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { wrap } from "./dispatch.js";
import { native } from "./native.js";
import type { Tensor } from "./tensor.js";
import type { DType } from "./types.js";

const codes: Record<DType, string> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};
const dtypeOf = new Map(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]));
const widths: Record<DType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** The limit of the reference implementation: a header is names and sizes, never data. */
const maxHeader = 100_000_000;
/** Node reads and writes less than 2 GiB at a time. */
const longestTransfer = 2 ** 30;
const metadataKey = "__metadata__";

interface Placed {
  name: string;
  dtype: DType;
  shape: number[];
  begin: number;
  end: number;
}

function bytesOf(tensor: Tensor): Uint8Array {
  const bytes = new Uint8Array(tensor.numel * widths[tensor.dtype]);
  using here = tensor.detach().to({ device: "cpu", dtype: tensor.dtype });
  using dense = here.contiguous();
  native.read(dense.handle, bytes);
  return bytes;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, Math.min(bytes.length - done, longestTransfer));
  }
}

/**
 * Writes tensors under their names: the widest dtype first, so that each stands on a multiple of its width, then in
 * name order. The file appears whole or not at all.
 *
 * @param metadata free text, kept beside the tensors
 * @throws Error when the file cannot be written, or a dtype has no code in the format
 */
export function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  // Without a prototype: "__proto__" is a name like any other.
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header[metadataKey] = parseMetadata(path, metadata);
  const listed = Object.keys(tensors)
    .sort()
    .map((name) => {
      const { dtype, shape, numel } = tensors[name]!;
      if (name === metadataKey || !codes[dtype]) {
        throw new Error(`${path}: cannot store tensor ${JSON.stringify(name)} of dtype ${dtype}`);
      }
      return { name, dtype, shape, bytes: numel * widths[dtype] };
    })
    .sort((a, b) => widths[b.dtype] - widths[a.dtype]);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of listed) {
    header[name] = { dtype: codes[dtype], shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  // Padded with spaces so that the data starts on a multiple of 8.
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, "w");
  try {
    try {
      writeAll(file, length);
      writeAll(file, padded);
      for (const { name } of listed) writeAll(file, bytesOf(tensors[name]!));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function readExactly(file: number, path: string, into: Uint8Array, position: number): Uint8Array {
  const { length } = into;
  for (let done = 0; done < length; ) {
    const count = readSync(file, into, done, Math.min(length - done, longestTransfer), position + done);
    if (count === 0)
      throw new Error(`${path}: ends at byte ${position + done}, expected ${position + length}`);
    done += count;
  }
  return into;
}

/** A name as messages show it. */
function quote(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function place(path: string, name: string, entry: unknown): Placed {
  const bad = (reason: string) => new Error(`${path}: tensor ${quote(name)}: ${reason}`);
  if (typeof entry !== "object" || entry === null) throw bad("its entry is no object");
  const { dtype: code, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  const dtype = dtypeOf.get(code as string);
  if (!dtype) throw bad(`unknown dtype ${JSON.stringify(code)?.slice(0, 40)}`);
  if (!Array.isArray(shape) || shape.length > 64 || !shape.every(isCount))
    throw bad("its shape is no list of sizes");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw bad("its data_offsets are not two byte positions");
  }
  const [begin, end] = offsets as [number, number];
  const product = (sizes: number[]) => sizes.reduce((bytes, size) => bytes * size, widths[dtype]);
  const bytes = product(shape as number[]);
  // libtorch works out the strides of empty tensors too.
  const spread = product((shape as number[]).map((size) => size || 1));
  if (!Number.isSafeInteger(spread) || end - begin !== bytes) {
    throw bad(`shape [${shape}] of ${code} needs ${bytes} bytes, its data_offsets hold ${end - begin}`);
  }
  return { name, dtype, shape: shape as number[], begin, end };
}

function parseHeader(path: string, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error(
      `${path}: the header (bytes 8 to ${8 + bytes.length}) is no JSON: not a safetensors file, or damaged`,
    );
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new Error(`${path}: the header is no JSON object`);
  }
  return header as Record<string, unknown>;
}

function parseMetadata(path: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const entries =
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  if (!entries?.every(([, text]) => typeof text === "string")) {
    throw new Error(`${path}: ${metadataKey} must map names to text`);
  }
  return Object.fromEntries(entries);
}

/** One buffer that holds the bytes of each tensor in turn. */
function roomFor(path: string, placed: readonly Placed[]): Uint8Array {
  const most = placed.reduce((size, { begin, end }) => Math.max(size, end - begin), 0);
  try {
    return new Uint8Array(most);
  } catch (cause) {
    throw new Error(`${path}: a tensor of ${most} bytes is too big for this process`, { cause });
  }
}

export interface Safetensors {
  /** By name, in no particular order; on the CPU, requiring no gradient. A null-prototype object. */
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
}

/**
 * Reads a whole file.
 *
 * @throws Error naming the file and what is wrong: a header that is too long or no JSON, unknown dtypes, shapes that
 *   do not fit their bytes, data that overlaps, leaves gaps or ends beyond the file
 */
export function loadSafetensors(path: string): Safetensors {
  // A pipe would keep the process waiting for a writer.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new Error(`${path}: is no regular file`);
    const size = found.size;
    if (size < 8) throw new Error(`${path}: ${size} bytes are too few for a safetensors file`);
    const length = Number(Buffer.from(readExactly(file, path, new Uint8Array(8), 0)).readBigUInt64LE());
    if (length > maxHeader || length > size - 8) {
      throw new Error(
        `${path}: a header of ${length} bytes cannot be in a file of ${size}: not a safetensors file`,
      );
    }
    const header = parseHeader(path, readExactly(file, path, new Uint8Array(length), 8));
    const start = 8 + length;
    const placed = Object.entries(header)
      .filter(([name]) => name !== metadataKey)
      .map(([name, entry]) => place(path, name, entry))
      .sort((a, b) => a.begin - b.begin || a.end - b.end);
    let covered = 0;
    for (const { name, begin, end } of placed) {
      if (begin !== covered) {
        throw new Error(
          `${path}: tensor ${quote(name)} starts at byte ${begin} of the data, expected ${covered}`,
        );
      }
      covered = end;
    }
    if (start + covered !== size) {
      throw new Error(`${path}: its tensors end at byte ${start + covered}, the file at ${size}`);
    }
    const metadata = parseMetadata(path, header[metadataKey]);
    const tensors: Record<string, Tensor> = Object.create(null);
    const room = roomFor(path, placed);
    for (const { name, dtype, shape, begin, end } of placed) {
      const bytes = readExactly(file, path, room.subarray(0, end - begin), start + begin);
      // A bool of any other byte than 0 and 1 is undefined behaviour in C++.
      if (dtype === "bool") for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] ? 1 : 0;
      tensors[name] = wrap(native.fromBytes(bytes, dtype, shape));
    }
    return { tensors, metadata };
  } finally {
    closeSync(file);
  }
}
