import { createHash, type Hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { writeError } from "../../write-error.js";
import type { DType } from "../types.js";
import { Checksum, reservedKeys, withChecksum } from "./checksum.js";
import { checkMetadata, codes, metadataKey, widths } from "./header.js";
import { encode, writeAll } from "./write.js";

/** A tensor that will be written. */
export interface TensorPlan {
  name: string;
  dtype: DType;
  shape: readonly number[];
}

/**
 * Writes a safetensors file bit by bit, of tensors that need not be in memory at once. The header comes first, so that names,
 * dtypes and shapes are known from the start. The file has a temporary name until {@link finish}; disposing of the writer
 * before removes it.
 */
export class SafetensorsWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #plans: readonly TensorPlan[];
  readonly #header: Record<string, unknown> = Object.create(null);
  readonly #metadata: Record<string, string>;
  readonly #checksum = new Checksum();
  /** The size of the whole file. */
  readonly #bytes: number;
  #file: number | undefined;
  /** The tensor that is written to, how many of its bytes are, and their hash. */
  #current = 0;
  #done = 0;
  #hash: Hash = createHash("sha256");

  /**
   * @param tensors in the order in which they are written: the widest dtype first, so that each stands on a multiple of its width
   * @throws Error when the file cannot be written, or a name, a dtype or metadata cannot be stored
   */
  constructor(path: string, tensors: readonly TensorPlan[], metadata: Readonly<Record<string, string>> = {}) {
    this.#path = path;
    this.#plans = tensors;
    this.#metadata = checkMetadata(path, metadata);
    const reserved = reservedKeys.find((key) => key in metadata);
    if (reserved) throw new Error(`${path}: metadata ${reserved} is the checksum's own name: choose another`);
    this.#header[metadataKey] = withChecksum(this.#metadata);
    let offset = 0;
    for (const plan of tensors) {
      const { name, dtype, shape } = plan;
      if (name === metadataKey || !codes[dtype] || Object.hasOwn(this.#header, name))
        throw new Error(`${path}: cannot store tensor ${JSON.stringify(name)} of dtype ${dtype}`);
      const end = offset + bytesOf(plan);
      this.#header[name] = { dtype: codes[dtype], shape, data_offsets: [offset, end] };
      offset = end;
    }
    this.#bytes = offset + encode(this.#header).length;
    this.#temporary = `${path}.${process.pid}.tmp`;
    this.#file = openSync(this.#temporary, "w");
    this.#guard(() => writeAll(this.#file!, encode(this.#header)));
    this.#passFull();
  }

  /**
   * Writes the next bytes of the tensors' data, little-endian.
   *
   * @throws RangeError when they are more than is left of the current tensor; Error when they cannot be written
   */
  write(bytes: Uint8Array): void {
    const plan = this.#plans[this.#current];
    const left = plan ? bytesOf(plan) - this.#done : 0;
    if (this.#file === undefined || bytes.length > left)
      throw new RangeError(
        `${this.#path}: ${bytes.length} bytes are more than the ${left} that are left of ${plan?.name ?? "the file"}`,
      );
    this.#guard(() => writeAll(this.#file!, bytes));
    this.#hash.update(bytes);
    this.#done += bytes.length;
    this.#passFull();
  }

  /**
   * Adds the checksum and gives the file its name.
   *
   * @throws Error when a tensor is not whole, or the file cannot be written
   */
  finish(): void {
    const plan = this.#plans[this.#current];
    if (plan)
      throw new Error(`${this.#path}: ${this.#done} of ${bytesOf(plan)} bytes of ${plan.name} were written`);
    if (this.#file === undefined) return;
    this.#header[metadataKey] = withChecksum(this.#metadata, this.#checksum.digest(this.#metadata));
    this.#guard(() => {
      // The header is as long as before: every checksum has as many digits.
      writeAll(this.#file!, encode(this.#header), 0);
      fsyncSync(this.#file!);
      closeSync(this.#file!);
      this.#file = undefined;
      renameSync(this.#temporary, this.#path);
    });
  }

  /** Removes the file, unless it is finished. */
  [Symbol.dispose](): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#temporary, { force: true });
  }

  /** Goes on to the next tensor that needs bytes. */
  #passFull(): void {
    for (let plan = this.#plans[this.#current]; plan; plan = this.#plans[++this.#current]) {
      if (this.#done < bytesOf(plan)) return;
      this.#checksum.addDigest(plan, this.#hash.digest("hex"));
      this.#hash = createHash("sha256");
      this.#done = 0;
    }
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this[Symbol.dispose]();
      rmSync(this.#temporary, { force: true });
      throw writeError(error, { path: this.#path, bytes: this.#bytes });
    }
  }
}

const bytesOf = ({ dtype, shape }: TensorPlan) =>
  shape.reduce((product, size) => product * size, widths[dtype]);
