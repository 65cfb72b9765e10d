/** Records which operators a function calls, and on what: what an exporter makes a graph of. */
import { noGrad } from "./autograd.js";
import { operator, wrap } from "./dispatch.js";
import { native, type OperatorInfo } from "./native.js";
import { scope } from "./scope.js";
import type { Tensor } from "./tensor.js";
import type { DType, TypedArray } from "./types.js";

/** A tensor in a trace. A tensor that is written over in place is another one from then on. */
export interface TracedTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Whether it does not depend on the inputs: it was there before, or was made of such tensors alone. */
  readonly isConstant: boolean;
}

/** What an operator was given: tensors stand as {@link TracedTensor}s, all else as it is. */
export type TracedArgument =
  | TracedTensor
  | readonly (TracedTensor | undefined)[]
  | readonly number[]
  | number
  | boolean
  | string
  | undefined;

/** One call of an operator that depends on the inputs. */
export interface TracedCall {
  /** Its name without overload, such as "aten::conv2d". */
  operator: string;
  /** By the names of the operator's schema. What was left out has the schema's default; a default that is no number, boolean or
   * list of numbers is undefined. */
  arguments: Readonly<Record<string, TracedArgument>>;
  results: readonly TracedTensor[];
  /** What {@link TraceOptions.place} said when it was called. */
  place: string;
}

export interface TraceOptions {
  /** Says where the function is, which each call notes. Default: nowhere. */
  place?: () => string;
}

/** An operator that cannot stand in a trace. */
export class TraceError extends Error {
  override name = "TraceError";

  constructor(
    readonly place: string,
    message: string,
  ) {
    super(message);
  }
}

/** What a handle stands for just now. */
interface Held {
  tensor: Value;
  /** The memory that it shares with views of it. */
  memory: Memory;
  /** How often the memory had been written to when the handle got its tensor. */
  version: number;
}

interface Memory {
  version: number;
}

class Value implements TracedTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The elements of a constant that is written over later. */
  kept: TypedArray | undefined;

  constructor(
    readonly handle: number,
    readonly isConstant: boolean,
  ) {
    this.shape = native.shape(handle);
    this.dtype = native.dtype(handle) as DType;
  }
}

const unlikeGraphs = "which a graph of operators cannot";

/** What modules ask of a tensor that says nothing of its values. */
const harmless = new Set(["aten::is_inference", "aten::_version"]);

/**
 * Operators whose result may be the very tensor that they are given, though their schemas do not say so.
 * Dropout returns its input where it is not training.
 */
const mayReturnInput = new Set(["aten::dropout", "aten::feature_dropout", "aten::alpha_dropout"]);

interface Operator {
  name: string;
  info: OperatorInfo;
  /** The parameters whose memory the result may share. */
  aliased: ReadonlySet<number>;
}

const operators = new Map<number, Operator>();

function operatorOf(id: number): Operator {
  const known = operators.get(id);
  if (known) return known;
  const info = native.schema(id);
  const name = info.text.slice(0, info.text.search(/[.(]/));
  const isViewed = (type: string) => /\([a-z][ )]/.test(type);
  const declared = info.text.slice(info.text.indexOf("(") + 1, info.text.lastIndexOf("->"));
  const aliased = new Set<number>();
  for (const [i, each] of declared
    .split(/, (?=[A-Za-z*])/)
    .filter((each) => each !== "*")
    .entries())
    if (isViewed(each) || (i === 0 && mayReturnInput.has(name))) aliased.add(i);
  const found = { name, info, aliased };
  operators.set(id, found);
  return found;
}

/** The operators that a function called, in order; its tensors live until it is disposed. */
export class Trace implements Disposable {
  readonly calls: TracedCall[] = [];
  inputs: readonly TracedTensor[] = [];
  outputs: readonly TracedTensor[] = [];
  readonly #held = new Map<number, Held>();
  readonly #waiting: number[] = [];
  readonly #place: () => string;
  /** Whether the trace itself is at work, whose own calls are not recorded. */
  #isPaused = false;

  /** @internal {@link trace} makes them. */
  constructor({ place = () => "" }: TraceOptions) {
    this.#place = place;
  }

  /** The tensor as the trace knows it; undefined where the function did not use it. */
  find(tensor: Tensor): TracedTensor | undefined {
    return this.#held.get(tensor.handle)?.tensor;
  }

  /** The elements of a constant, row by row. @throws TypeError for a tensor that depends on the inputs */
  read(tensor: TracedTensor): TypedArray {
    const value = tensor as Value;
    if (!value.isConstant) throw new TypeError("only constants can be read");
    return value.kept ?? this.#readNow(value);
  }

  /** @internal Runs the function with the addon's functions replaced by those that record. */
  run(inputs: readonly Tensor[], body: () => Tensor): void {
    const { call, callAsync, read, copyOut, release, releaseOne, fromBytes, fromShared } = native;
    const own = { call, callAsync, read, copyOut, release, releaseOne, fromBytes, fromShared };
    const unless = <A extends unknown[], R>(plain: (...args: A) => R, recording: (...args: A) => R) => {
      return (...args: A) => (this.#isPaused ? plain(...args) : recording(...args));
    };
    const refuse = (what: string) => () => {
      throw new TraceError(this.#place(), what);
    };
    const isRead = refuse(`reads the values of a tensor, ${unlikeGraphs}`);
    const made = (handle: number) => {
      this.#held.delete(handle);
      return handle;
    };
    this.inputs = inputs.map(({ handle }) => this.#hold(handle, false));
    try {
      Object.assign(native, {
        call: unless(call, (id, ...args) => this.#record(call, id, args)),
        callAsync: refuse(`computes in the background, ${unlikeGraphs}`),
        read: unless(read, isRead),
        copyOut: unless(copyOut, isRead),
        // A handle that is freed could be given to another tensor: none is freed as long as the trace lives.
        release: (handles: Int32Array, count: number) =>
          void this.#waiting.push(...handles.subarray(0, count)),
        releaseOne: (handle: number) => void this.#waiting.push(handle),
        fromBytes: (...args: Parameters<typeof fromBytes>) => made(fromBytes(...args)),
        fromShared: (...args: Parameters<typeof fromShared>) => made(fromShared(...args)),
      });
      this.outputs = noGrad(() => scope(() => [this.#use(body().handle)]));
    } finally {
      Object.assign(native, own);
    }
  }

  [Symbol.dispose](): void {
    const handles = Int32Array.from(this.#waiting.splice(0));
    if (handles.length > 0) native.release(handles, handles.length);
  }

  #hold(handle: number, isConstant: boolean, memory: Memory = { version: 0 }): Value {
    const tensor = new Value(handle, isConstant);
    this.#held.set(handle, { tensor, memory, version: memory.version });
    return tensor;
  }

  /** The tensor behind a handle. One that no operator of the trace has made is a constant. */
  #use(handle: number): Value {
    const held = this.#held.get(handle);
    if (!held) return this.#hold(handle, true);
    if (held.version === held.memory.version) return held.tensor;
    throw new TraceError(this.#place(), "uses a view of a tensor that was written over meanwhile");
  }

  #record(call: typeof native.call, id: number, args: unknown[]): unknown {
    const { name, info, aliased } = operatorOf(id);
    const given = info.parameters.map(({ type }, i) => this.#given(type, args[i]));
    const tensors = given.flat().filter((each): each is Value => each instanceof Value);
    const isConstant = tensors.every((each) => each.isConstant);
    const asksForNumbers = info.results.some((type) => !type.startsWith("Tensor"));
    if (asksForNumbers && !isConstant && !harmless.has(name))
      throw new TraceError(this.#place(), `${name} reads the values of a tensor, ${unlikeGraphs}`);
    const written = info.parameters.flatMap(({ written }, i) => (written ? [args[i] as number] : []));
    for (const handle of written) this.#keepConstant(this.#use(handle));
    const answer = call(id, ...args);
    const results = info.returnsArguments
      ? written.map((handle) => this.#writeOver(handle, isConstant))
      : this.#results(info, answer, isConstant, this.#memoryOf(args, info, aliased));
    if (isConstant || asksForNumbers) return answer;
    const named = info.parameters.map(({ name, default: text }, i) => [
      name,
      args[i] === undefined ? defaultOf(text) : given[i],
    ]);
    const place = this.#place();
    this.calls.push({ operator: name, arguments: Object.fromEntries(named), results, place });
    return answer;
  }

  /** Keeps the elements of a constant that is about to be written over. */
  #keepConstant(tensor: Value): void {
    if (tensor.isConstant) tensor.kept ??= this.#readNow(tensor);
  }

  #readNow({ handle }: Value): TypedArray {
    const before = this.#isPaused;
    this.#isPaused = true;
    try {
      using own = wrap(native.call(operator("aten::detach", ""), handle));
      return own.toTypedArray();
    } finally {
      this.#isPaused = before;
    }
  }

  #given(type: string, value: unknown): TracedArgument {
    if (value === undefined || value === null) return undefined;
    if (type.startsWith("Tensor[]") || type.startsWith("Tensor?[]"))
      return (value as (number | undefined)[]).map((handle) => (handle ? this.#use(handle) : undefined));
    if (type.startsWith("Tensor")) return this.#use(value as number);
    return value as TracedArgument;
  }

  /** The memory of the one argument that a result may be a view of. */
  #memoryOf(args: unknown[], { parameters }: OperatorInfo, aliased: ReadonlySet<number>): Memory | undefined {
    for (const i of aliased) {
      if (parameters[i]?.type === "Tensor" && typeof args[i] === "number")
        return this.#held.get(args[i])?.memory;
    }
    return undefined;
  }

  #results(info: OperatorInfo, answer: unknown, isConstant: boolean, memory: Memory | undefined): Value[] {
    const values = info.results.length === 1 ? [answer] : (answer as unknown[]);
    return info.results.flatMap((type, i) => {
      if (!type.startsWith("Tensor")) return [];
      const handles = type === "Tensor[]" ? (values[i] as number[]) : [values[i] as number];
      return handles.filter((handle) => handle !== 0).map((handle) => this.#hold(handle, isConstant, memory));
    });
  }

  /** Notes that a tensor was written to: its views are what they were no longer. */
  #writeOver(handle: number, isConstant: boolean): Value {
    const { memory, tensor } = this.#held.get(handle)!;
    memory.version++;
    return this.#hold(handle, isConstant && tensor.isConstant, memory);
  }
}

/**
 * Runs a function and records which operators it calls on what depends on its inputs. The function may branch and loop as it
 * likes: what is recorded is what it did for these inputs.
 *
 * @param inputs the tensors that stand for a graph's inputs; all others that the function uses are constants
 * @param body gives the output
 * @returns the trace, which keeps the function's tensors until it is disposed
 * @throws TraceError when the function reads a tensor's values or computes in the background; what the function throws
 */
export function trace(inputs: readonly Tensor[], body: () => Tensor, options: TraceOptions = {}): Trace {
  const made = new Trace(options);
  try {
    made.run(inputs, body);
    return made;
  } catch (error) {
    made[Symbol.dispose]();
    throw error;
  }
}

/** The value of a default in a schema; undefined where it is no number, boolean or list of them. */
function defaultOf(text: string | undefined): TracedArgument {
  if (text === undefined || text === "None") return undefined;
  if (text === "True" || text === "False") return text === "True";
  if (text.startsWith("[")) return JSON.parse(text) as number[];
  const number = Number(text);
  return Number.isNaN(number) ? undefined : number;
}
