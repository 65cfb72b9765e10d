const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A position in a pickle's bytes, from which numbers and texts are read. Every read is checked against the end. */
export class Bytes {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.position >= this.#bytes.length;
  }

  /** @throws Error when fewer bytes are left */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** @throws Error when the number is more than any length can be */
  length64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`a length of ${value} bytes is impossible`);
    return Number(value);
  }

  /** A float64, big-endian, as pickles alone have it. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A whole number in two's complement, little-endian. */
  integer(length: number): number | bigint {
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    const signed = length > 0 && bytes[length - 1]! >= 128 ? value - (1n << BigInt(8 * length)) : value;
    return BigInt.asIntN(54, signed) === signed ? Number(signed) : signed;
  }

  /** @throws Error when the bytes are not UTF-8 */
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new Error(`the text at byte ${this.position - length} is not UTF-8`);
    }
  }

  /** The text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.position);
    if (end < 0) throw new Error(`ends within the line at byte ${this.position}`);
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }

  #advance(length: number): number {
    const at = this.position;
    if (length > this.#bytes.length - at)
      throw new Error(`ends at byte ${this.#bytes.length}, within the value at byte ${at}`);
    this.position += length;
    return at;
  }
}
