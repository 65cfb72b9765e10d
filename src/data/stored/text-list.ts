/**
 * Many short texts as bytes, one after another: a million paths take little more than their letters, where as many strings
 * would take several times that. Bytes, since a file's name on Linux need not be UTF-8.
 */
export interface TextList {
  readonly bytes: Uint8Array;
  /** Where each text begins in `bytes`, and where the last one ends: [count + 1]. */
  readonly starts: Uint32Array;
}

/** Gives a text's bytes, which share the list's memory. */
export function bytesAt({ bytes, starts }: TextList, i: number): Uint8Array {
  return bytes.subarray(starts[i]!, starts[i + 1]!);
}

/** Gives a text, with a replacement character for whatever in it is not UTF-8. */
export function textAt(list: TextList, i: number): string {
  return Buffer.from(bytesAt(list, i)).toString("utf8");
}

/** Puts a list of texts together, one by one. */
export class TextListBuilder {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #length = 0;
  readonly #starts: number[] = [0];

  /**
   * @param parts the pieces of the text
   * @throws RangeError when all texts together are longer than 4 GiB
   */
  add(...parts: readonly (Uint8Array | string)[]): void {
    for (const part of parts) {
      const bytes = typeof part === "string" ? Buffer.from(part) : part;
      this.#reserve(this.#length + bytes.length);
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
    }
    this.#starts.push(this.#length);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  finish(): TextList {
    return {
      bytes: Uint8Array.from(this.#bytes.subarray(0, this.#length)),
      starts: Uint32Array.from(this.#starts),
    };
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    if (length >= 2 ** 32) throw new RangeError("the paths of all images together are longer than 4 GiB");
    const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Puts several lists together, one after the other. */
export function joinTexts(lists: readonly TextList[]): TextList {
  const bytes = new Uint8Array(lists.reduce((sum, list) => sum + list.bytes.length, 0));
  const starts = new Uint32Array(1 + lists.reduce((sum, list) => sum + list.starts.length - 1, 0));
  let length = 0;
  let count = 0;
  for (const list of lists) {
    bytes.set(list.bytes, length);
    for (const end of list.starts.subarray(1)) starts[++count] = length + end;
    length += list.bytes.length;
  }
  return { bytes, starts };
}
