/** What a pickle's opcodes can make here: plain data, and marks that stand for things of Python. Nothing of it runs. */

/** A value that a pickle describes. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tuple
  | List
  | Dict
  | Named
  | Foreign;

export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}

export class List {
  constructor(readonly items: Value[] = []) {}
}

/** A dict, or a class of Python's that is one, such as an OrderedDict. */
export class Dict {
  constructor(readonly entries: Map<Value, Value> = new Map()) {}
}

/** A class or a function by its name; it is never looked up. */
export class Named {
  constructor(readonly name: string) {}
}

/** A value that the format over the pickle has given a meaning, such as a tensor. */
export class Foreign<T extends object = object> {
  constructor(readonly value: T) {}
}
