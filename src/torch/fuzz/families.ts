/** Families of operators, which the fuzz gives as many calls each, however many operators they have. */

export const families = ["linear algebra", "neural network", "indexing", "other"] as const;
export type Family = (typeof families)[number];

const patterns: readonly (readonly [Family, RegExp])[] = [
  [
    "linear algebra",
    new RegExp(
      [
        "linalg|svd|cholesky|triangular|inverse|logdet|slogdet|matmul|matrix|pinv|lstsq|symeig|householder|kron",
        "^(_?lu_|qr|eig|det$|mm|mv$|bmm|dot|vdot|inner|outer|ger|addmm|addmv|addr|addbmm|baddbmm|_addmm|einsum)",
        "tensordot|orgqr|ormqr|geqrf|multi_dot|chain_matmul|cdist|pdist|nuclear_norm|frobenius|^(trace|cross$|cov|corrcoef|tril|triu|vander)",
      ].join("|"),
    ),
  ],
  [
    "neural network",
    new RegExp(
      [
        "conv|pool|norm(?!al)|loss|dropout|softmax|softmin|upsample|interpolate|_pad|pad$|pad_|pad\\d|lstm|gru|rnn|pixel_|channel_shuffle|fold",
        "im2col|col2im|grid_|affine_grid|attention|transformer|bilinear|linear|embedding|entropy|kl_div|ctc",
        "relu|elu|gelu|silu|mish|glu|hardtanh|hardswish|hardsigmoid|hardshrink|softshrink|softplus|softsign|logsigmoid|log_sigmoid|rrelu|threshold|cosine_sim|pairwise",
      ].join("|"),
    ),
  ],
  [
    "indexing",
    new RegExp(
      [
        "index|gather|scatter|^(take|put|_?masked|select|slice|narrow|as_strided|diag|_?unsafe|nonzero|argwhere|where|unfold|roll|flip|rot90)",
        "searchsorted|bucketize|sort|topk|kthvalue|median|mode$|unique|bincount|histc|split|chunk|expand|repeat|view|reshape|permute|transpose",
        "movedim|moveaxis|swap|unbind|unravel|unsqueeze|squeeze|tensor_split|stack|^cat|concat|tile|broadcast|fill_diagonal|segment_reduce|trapez|cum|^pad_sequence",
      ].join("|"),
    ),
  ],
];

/** The family of an operator, by its name with or without an overload; the project's own operators are of networks. */
export function familyOf(op: string): Family {
  if (op.startsWith("lyceum::")) return "neural network";
  const base = op.replace(/^\w+::/, "").split(".")[0]!;
  return patterns.find(([, pattern]) => pattern.test(base))?.[0] ?? "other";
}
