import type { TypedArray } from "../../torch/index.js";
import {
  attributeTypes,
  type DataType,
  dataTypes,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from "./proto.js";

/** An attribute of a node: whole numbers are written as ONNX's integers, and {@link float} marks what is not. */
export type Attribute = number | string | readonly number[] | { float: number };

/** A number that ONNX wants as a float, whole or not. */
export const float = (value: number) => ({ float: value });

/** The nodes and constants of a graph that is being put together. Values go by their names. */
export class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #taken = new Set<string>();
  /** The constants of small numbers that several nodes use, by content. */
  readonly #shared = new Map<string, string>();

  /** Gives a name that no value or node has yet: the one that is asked for, or with a number behind it. */
  name(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /**
   * Adds a node with one output.
   *
   * @param inputs names of values; an empty one stands for an optional input that is left out
   * @param place the layer that it belongs to, which becomes part of its name
   * @returns the name of its output
   */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
    place = "",
  ): string {
    const name = this.name(`${place ? `${place}/` : ""}${opType}`);
    const attribute = Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [attributeOf(key, value)],
    );
    this.nodes.push({ name, opType, input: inputs, output: [name], attribute });
    return name;
  }

  /** Adds a constant. @returns its name */
  constant(wanted: string, dims: readonly number[], values: TypedArray): string {
    const name = this.name(wanted);
    const [dataType, elements] = stored(values);
    const rawData = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
    this.initializers.push({ name, dims, dataType: dataTypes[dataType], rawData });
    return name;
  }

  /** Adds a list of whole numbers, such as a shape, once. @returns its name */
  integers(values: readonly number[]): string {
    return this.#share(`int64[${values}]`, () =>
      this.constant(`integers`, [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /** Adds a float32 scalar, once. @returns its name */
  scalar(value: number): string {
    return this.#share(`float32 ${value}`, () => this.constant("scalar", [], Float32Array.of(value)));
  }

  #share(key: string, make: () => string): string {
    const name = this.#shared.get(key) ?? make();
    this.#shared.set(key, name);
    return name;
  }
}

function attributeOf(name: string, value: Attribute): OnnxAttribute {
  if (typeof value === "string")
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  if (typeof value === "number") return { name, type: attributeTypes.int, i: value };
  if ("float" in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: value };
}

/** The element type of an array, and the array as it is written. */
function stored(values: TypedArray): [DataType, TypedArray] {
  if (values instanceof Float32Array) return ["float32", values];
  if (values instanceof Float64Array) return ["float64", values];
  if (values instanceof Int32Array) return ["int32", values];
  if (values instanceof BigInt64Array) return ["int64", values];
  return ["uint8", values];
}
