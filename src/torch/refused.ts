/**
 * Names the operators with which bad arguments end the process within libtorch, so that `torch.op` does not offer them.
 * `fuzz/fuzz.test.ts` found them, and tests that every other one survives.
 */

const foreign =
  "it works on tensors that the bridge does not carry (quantised, sparse, nested or a backend's own)";
const unchecked = "it trusts its caller, and reads or writes memory by its arguments";
const derivative = "it computes a gradient for autograd, and trusts what autograd has saved for it";
const none = "it takes the first of a list that may be empty";
const endless = "its time grows without bound in an argument";

/** Whole families of operators, by a pattern of the name without its overload. */
const families: readonly (readonly [RegExp, string])[] = [
  [/^(?!aten::|lyceum::)/, foreign],
  [/quantize|qparams|fake_quant|moving_avg_obs|_q_|^aten::(q_|int_repr|fbgemm_)/, foreign],
  [/sparse|_csr|_csc|_bsr|_bsc|_coo|coalesce|crow_indices|ccol_indices/, foreign],
  [/nested|mkldnn|_mps|mps_|cudnn|miopen|vulkan|xnnpack|_nnpack/, foreign],
  [/^aten::_thnn_|^aten::(lstm|gru|rnn_tanh|rnn_relu)_cell$|^aten::_fft_|_helper_?$/, unchecked],
  [/^aten::_?histogramdd/, unchecked],
  [/^aten::\w*_backward/, derivative],
  [
    /^aten::_(transform_bias_rescale_qkv|transformer_.*|native_(decoder_only_)?multi_head_attention)$/,
    unchecked,
  ],
  [/^aten::special_.*_polynomial_|_aa$/, endless],
];

/** Single operators, by their names without namespace and overload. */
const single: ReadonlyMap<string, string> = new Map([
  ...names(
    unchecked,
    "_add_batch_dim _compute_linear_combination _ctc_loss _embedding_bag _embedding_bag_forward_only",
    "_foreach_copy _local_scalar_dense _logcumsumexp _new_zeros_with_same_feature_meta",
    "_pad_packed_sequence _remove_batch_dim _reshape_alias _reshape_alias_copy _sobol_engine_draw",
    "_sobol_engine_ff_ _sobol_engine_initialize_state_ _sobol_engine_scramble_ _weight_norm",
    "_weight_norm_interface batch_norm_update_stats ctc_loss embedding_bag fractional_max_pool2d fractional_max_pool3d gru linalg_ldl_solve lstm lu_unpack",
    "native_batch_norm native_channel_shuffle repeat_interleave rnn_relu rnn_tanh rrelu_with_noise",
    "rrelu_with_noise_ searchsorted segment_reduce set slow_conv3d slow_conv3d_forward sum_to_size",
  ),
  ...names("it writes files, and a file that is cut short while it is mapped ends the process", "from_file"),
  ...names(none, "_stack align_tensors align_to"),
  ...names(endless, "random matrix_power linalg_matrix_power"),
  ...names(
    endless,
    "binomial poisson _standard_gamma _standard_gamma_grad _sample_dirichlet _dirichlet_grad",
  ),
]);

/**
 * Operators that take singular values or eigenvalues, or whose gradient does. LAPACK does not return when a value is
 * infinite or NaN, so that their arguments are checked first.
 */
const decomposing =
  /svd|pinv|nuclear_norm|_?symeig|eig(h|vals|valsh)?$|^aten::(linalg_(cond|norm|matrix_norm|matrix_rank|lstsq)|matrix_rank)/;

/** Whether all values of the operator's tensors must be finite. */
export function needsFinite(name: string): boolean {
  return decomposing.test(name);
}

function names(reason: string, ...lines: string[]): [string, string][] {
  return lines.flatMap((line) => line.split(" ")).map((name) => [`aten::${name}`, reason]);
}

/** Why an operator is not offered, or undefined when it is; `name` may have an overload. */
export function refusalOf(name: string): string | undefined {
  const base = name.split(".")[0]!;
  return single.get(base) ?? families.find(([pattern]) => pattern.test(base))?.[1];
}
