/**
 * Operators that libtorch itself does not survive with bad arguments: `torch.op` does not offer them. Found by
 * `fuzz/fuzz.test.ts`, which holds that every other one does survive.
 */

const foreign =
  "it works on tensors that the bridge does not carry (quantised, sparse, nested or a backend's own)";
const unchecked = "it trusts its caller and reads memory by its arguments";
const endless = "its time grows without bound in an argument";

/** Whole families, by a pattern of the name without its overload. */
const families: readonly (readonly [RegExp, string])[] = [
  [/^(?!aten::|lyceum::)/, foreign],
  [/quantize|qparams|_q_|^aten::(q_|int_repr|fbgemm_|_?embedding_bag_.*prepack)/, foreign],
  [/sparse|_csr|_csc|_bsr|_bsc|_coo|coalesce|crow_indices|ccol_indices/, foreign],
  [/nested|mkldnn|_mps|mps_|cudnn|miopen|vulkan|xnnpack|_nnpack/, foreign],
  [/^aten::_thnn_|^aten::(lstm|gru|rnn_tanh|rnn_relu)_cell$/, unchecked],
  [/^aten::special_.*_polynomial_/, endless],
];

/** Single operators, by their names without overload. */
const single: ReadonlyMap<string, string> = new Map([]);

/** Why an operator is not offered, or undefined when it is; `name` may have an overload. */
export function refusalOf(name: string): string | undefined {
  const base = name.split(".")[0]!;
  return single.get(base) ?? families.find(([pattern]) => pattern.test(base))?.[1];
}
