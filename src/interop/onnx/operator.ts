import type { FollowedArgument, FollowedCall, FollowedTensor } from "./follow.js";
import type { Attribute, Graph } from "./graph.js";

/** A size of a tensor: a number, or that of the images, which a graph leaves open. */
export type Dimension = number | "N";

/** A network that cannot be written as ONNX, and the layer that it is about. */
export class OnnxError extends Error {
  override name = "OnnxError";

  /** @param layer its path; empty for the network itself */
  constructor(
    readonly layer: string,
    what: string,
  ) {
    super(`ONNX cannot hold this network: ${layer ? `the layer ${layer}` : "it"} ${what}`);
  }
}

/** One call of an operator as a converter sees it. */
export class Call {
  readonly result: FollowedTensor;

  constructor(
    readonly graph: Graph,
    readonly call: FollowedCall,
    /** Gives the name of a tensor in the graph. */
    readonly nameOf: (tensor: FollowedTensor) => string,
  ) {
    this.result = call.results[0]!;
  }

  /** Adds a node in the name of the call's layer. @param inputs tensors, or names of values */
  node(
    opType: string,
    inputs: readonly (FollowedTensor | string | undefined)[],
    attributes?: Readonly<Record<string, Attribute | undefined>>,
  ): string {
    const names = inputs.map((input) =>
      input === undefined ? "" : typeof input === "string" ? input : this.nameOf(input),
    );
    // Optional inputs at the end are left out.
    while (names.at(-1) === "") names.pop();
    return this.graph.node(opType, names, attributes, this.call.layer);
  }

  /** The tensor that an argument is. */
  tensor(name: string): FollowedTensor {
    const value = this.call.arguments[name];
    if (isFollowed(value)) return value;
    throw this.refuse(`calls ${this.call.operator} without ${name}`);
  }

  /** The tensor that an argument is; undefined where it was left out. */
  optionalTensor(name: string): FollowedTensor | undefined {
    const value = this.call.arguments[name];
    return isFollowed(value) ? value : undefined;
  }

  tensors(name: string): FollowedTensor[] {
    return (this.call.arguments[name] as readonly (FollowedTensor | undefined)[]).filter(isFollowed);
  }

  has(name: string): boolean {
    return this.call.arguments[name] !== undefined;
  }

  number(name: string): number {
    const value = this.call.arguments[name];
    if (typeof value === "number") return value;
    throw this.refuse(`calls ${this.call.operator} with ${name} of ${String(value)}`);
  }

  flag(name: string): boolean {
    return this.call.arguments[name] === true;
  }

  /** A list of numbers; one number alone stands for `count` of them, as in libtorch. */
  numbers(name: string, count?: number): number[] {
    const value = this.call.arguments[name];
    const listed =
      typeof value === "number" ? [value] : [...((value as readonly number[] | undefined) ?? [])];
    return listed.length === 1 && count !== undefined ? Array(count).fill(listed[0]) : listed;
  }

  /** A dimension, counted from the first one. @param of the tensor whose dimension it is */
  dimension(name: string, { shape }: FollowedTensor): number {
    const value = this.number(name);
    return value < 0 ? value + shape.length : value;
  }

  /** The error of a call that has no counterpart in ONNX. @param what it does, in words */
  refuse(what: string): OnnxError {
    return new OnnxError(this.call.layer, what);
  }
}

const isFollowed = (value: FollowedArgument): value is FollowedTensor =>
  typeof value === "object" && value !== null && "stateName" in value;

/** Writes a call as nodes. @returns the names of the values that are its results, or of the only one */
export type Converter = (call: Call) => string | string[];

/** Converters by the names of libtorch's operators, without namespace, overload, and the underscore of those in place. */
export type Converters = Readonly<Record<string, Converter>>;
