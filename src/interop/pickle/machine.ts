import { Bytes } from "./bytes.js";
import { Dict, type Foreign, List, type Named, Tuple, type Value } from "./values.js";

/** What the format over the pickle makes of the opcodes that mean something in Python. */
export interface Meaning {
  /**
   * A class or a function by its name, such as `collections.OrderedDict`.
   *
   * @throws Error for every name that it does not know
   */
  named(name: string): Named;
  /**
   * The result of a call.
   *
   * @throws Error when this may not be called, or not with these arguments
   */
  call(callable: Named, args: readonly Value[]): Value;
  /**
   * The value that is kept outside of the pickle under an id.
   *
   * @throws Error when this is no id
   */
  persistent(id: Value): Foreign;
}

/** The most values on the stack, or in the memo, at a time. */
const MOST_VALUES = 2 ** 20;

/** The state of a pickle's reading: the bytes, the stack with its marks, and the memo. */
export class Machine {
  readonly bytes: Bytes;
  readonly meaning: Meaning;
  readonly #stack: Value[] = [];
  /** The heights of the stack at the marks that are open. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Value>();
  #handedOver = 0;

  constructor(bytes: Uint8Array, meaning: Meaning) {
    this.bytes = new Bytes(bytes);
    this.meaning = meaning;
  }

  push(value: Value): void {
    if (this.#stack.length >= MOST_VALUES) throw new Error(`holds more than ${MOST_VALUES} values at a time`);
    this.#stack.push(value);
  }

  /** @throws Error when no value is left above the last mark */
  pop(): Value {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw new Error("takes a value that is not there");
    return this.#stack.pop()!;
  }

  /** The value on top of the stack, which stays there. */
  top(): Value {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MOST_VALUES) throw new Error(`opens more than ${MOST_VALUES} marks`);
    this.#marks.push(this.#stack.length);
  }

  /** Takes all values above the last mark, and the mark. */
  popToMark(): Value[] {
    const height = this.#marks.pop();
    if (height === undefined) throw new Error("takes values from a mark that is not there");
    return this.#stack.splice(height);
  }

  /** Keeps the value on top of the stack under a number. */
  remember(index: number = this.#memo.size): void {
    if (this.#memo.size >= MOST_VALUES) throw new Error(`remembers more than ${MOST_VALUES} values`);
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new Error(`recalls value ${index}, which was never kept`);
    this.push(value);
  }

  /** Adds values to the list that is on top of the stack. */
  append(values: readonly Value[]): void {
    const list = this.top();
    if (!(list instanceof List)) throw new Error("appends to what is no list");
    for (const value of values) list.items.push(value);
  }

  /** Puts keys and values in turn into the dict that is on top of the stack. */
  setItems(values: readonly Value[]): void {
    const dict = this.top();
    if (!(dict instanceof Dict)) throw new Error("sets an item of what is no dict");
    if (values.length % 2 !== 0) throw new Error("sets a key without a value");
    for (let i = 0; i < values.length; i += 2) dict.entries.set(values[i]!, values[i + 1]!);
  }

  pushTuple(length: number): void {
    const items = Array.from({ length }, () => this.pop());
    this.push(new Tuple(items.reverse()));
  }

  /**
   * Counts the values in what a call is given: a call may copy them, and one list can be given to many calls.
   *
   * @throws Error when all calls together were given more than a state dict needs
   */
  handOver(values: readonly Value[]): void {
    for (const value of values) {
      const size =
        value instanceof Tuple || value instanceof List
          ? value.items.length
          : value instanceof Dict
            ? value.entries.size
            : 1;
      this.#handedOver += size;
    }
    if (this.#handedOver > MOST_VALUES) throw new Error(`hands more than ${MOST_VALUES} values to calls`);
  }

  /** The one value that is left at the end. */
  result(): Value {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw new Error("leaves values behind at its end");
    return value;
  }
}
