/**
 * The header of a safetensors file: 8 bytes of length, then JSON that says of each tensor its dtype, its shape and
 * where its raw little-endian bytes stand in the data that follow. Files from strangers are hostile, so that
 * everything is checked before any of it is believed.
 */
import { constants, fstatSync, openSync, readSync } from "node:fs";
import type { DType } from "../types.js";

/** What the format calls the dtypes. */
export const codes: Record<DType, string> = {
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

/** Bytes of one element. */
export const widths: Record<DType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** The one name in a header that is no tensor's: free text, by name. */
export const metadataKey = "__metadata__";

/** Node reads and writes less than 2 GiB at a time. */
export const longestTransfer = 2 ** 30;

/**
 * In bytes; enough for 100,000 tensors. The reference implementation reads up to 100 MB, but JSON of that size can
 * be made to take gigabytes as objects.
 */
const longestHeader = 2 ** 24;

/** A tensor's place in the data, from `begin` to before `end`. */
export interface Placed {
  name: string;
  dtype: DType;
  shape: number[];
  begin: number;
  end: number;
}

export interface Header {
  /** In the order of their bytes. */
  placed: Placed[];
  metadata: Record<string, string>;
  /** Where the data begin in the file. */
  start: number;
}

/** Opens a file to read; a pipe does not keep the process waiting for a writer. */
export function openToRead(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

export function readExactly(file: number, path: string, into: Uint8Array, position: number): Uint8Array {
  const { length } = into;
  for (let done = 0; done < length; ) {
    const count = readSync(file, into, done, Math.min(length - done, longestTransfer), position + done);
    if (count === 0)
      throw new Error(`${path}: ends at byte ${position + done}, expected ${position + length}`);
    done += count;
  }
  return into;
}

/**
 * Reads and checks the header, and that the tensors fill the rest of the file without gaps and overlaps.
 *
 * @throws Error naming the file and what is wrong
 */
export function readHeader(file: number, path: string): Header {
  const found = fstatSync(file);
  if (!found.isFile()) throw new Error(`${path}: is no regular file`);
  const { size } = found;
  if (size < 8) throw new Error(`${path}: ${size} bytes are too few for a safetensors file`);
  const length = Number(Buffer.from(readExactly(file, path, new Uint8Array(8), 0)).readBigUInt64LE());
  if (length > longestHeader || length > size - 8) {
    throw new Error(
      `${path}: a header of ${length} bytes cannot be in a file of ${size}: not a safetensors file, or damaged`,
    );
  }
  const header = parse(path, readExactly(file, path, new Uint8Array(length), 8));
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
  return { placed, metadata: checkMetadata(path, header[metadataKey]), start };
}

/** A name as messages show it. */
function quote(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function parse(path: string, bytes: Uint8Array): Record<string, unknown> {
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
  // libtorch multiplies the sizes of empty tensors too, for their strides, with each 0 taken for 1.
  const spread = product((shape as number[]).map((size) => size || 1));
  if (!Number.isSafeInteger(spread) || end - begin !== bytes) {
    throw bad(`shape [${shape}] of ${code} needs ${bytes} bytes, its data_offsets hold ${end - begin}`);
  }
  return { name, dtype, shape: shape as number[], begin, end };
}

/** @throws Error when it does not map names to text */
export function checkMetadata(path: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const entries =
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  if (!entries?.every(([, text]) => typeof text === "string")) {
    throw new Error(`${path}: ${metadataKey} must map names to text`);
  }
  return Object.fromEntries(entries);
}
