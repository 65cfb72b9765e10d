import type { Module } from "../../nn/index.js";
import { type FollowedTensor, follow } from "./follow.js";
import type { Graph } from "./graph.js";
import { Call, OnnxError } from "./operator.js";
import { converters } from "./operators/index.js";

/** Where a network goes into a graph. */
export interface NetworkPlace {
  /** The name of the value that is its input, float32 [N, channels, height, width]. */
  input: string;
  size: readonly [channels: number, height: number, width: number];
  /** What stands before the names of its weights, such as "generation-1."; may be empty. */
  prefix: string;
}

/**
 * Adds what a network computes to a graph.
 *
 * @returns the name of its logits [N, classes]
 * @throws OnnxError naming the layer that ONNX has no operators for
 */
export function addNetwork(graph: Graph, model: Module, { input, size, prefix }: NetworkPlace): string {
  const followed = follow(model, size);
  const names = new Map<FollowedTensor, string>([[followed.input, input]]);
  for (const call of followed.calls) {
    const { operator, layer, results } = call;
    const convert = Object.hasOwn(converters, operator) ? converters[operator] : undefined;
    const found = convert ?? converters[operator.replace(/_$/, "")];
    if (!found) throw new OnnxError(layer, `computes ${operator}, which has no counterpart here`);
    for (const { dtype } of results) {
      if (dtype !== "float32") throw new OnnxError(layer, `computes in ${dtype}; only float32 is written`);
    }
    const written = [found(new Call(graph, call, nameOf))].flat();
    for (const [i, result] of results.entries()) names.set(result, written[i]!);
  }
  if (followed.output.shape.length !== 2 || followed.output.shape[0] !== "N")
    throw new OnnxError(
      "",
      `gives [${followed.output.shape.join(", ")}] instead of one row of logits an image`,
    );
  return nameOf(followed.output);

  function nameOf(tensor: FollowedTensor): string {
    const known = names.get(tensor);
    if (known !== undefined) return known;
    const { stateName = "constant", shape, values } = tensor;
    if (!values) throw new OnnxError("", "uses a tensor that no layer has made");
    const name = graph.constant(`${prefix}${stateName}`, shape as number[], values);
    names.set(tensor, name);
    return name;
  }
}
