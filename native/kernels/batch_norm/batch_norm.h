// Batch norm with what usually follows it, a sum with a shortcut and ReLU, in one pass over memory
// for the statistics and one for the result, instead of one for each of the three.
//
// Activations are float32 or bfloat16, channels-last or blocked (kernels/channels.h); what belongs
// to a channel is float32 [C].
#pragma once

#include <ATen/core/Tensor.h>

namespace lyceum {

struct Norm {
  const at::Tensor& weight;
  const at::Tensor& bias;
  const at::Tensor& running_mean;
  // The average of unbiased variances.
  const at::Tensor& running_var;
  double momentum, eps;

  // Counts the writes to the averages, of which autograd knows nothing, for whoever saved them
  // before.
  void bump_versions() const;
};

struct Normalised {
  at::Tensor y;
  // Each channel's mean and 1 / sqrt(variance + eps), for the gradient.
  at::Tensor mean, inverse;
};

// Throws c10::Error for tensors that do not fit. The residual may be undefined.
void check_norm(const at::Tensor& x, const Norm& norm, const at::Tensor& residual);

// Normalises by the batch's statistics in training, which it also averages, and otherwise by the
// averages. Throws as check_norm does.
Normalised normalise(const at::Tensor& x, const Norm& norm, const at::Tensor& residual, bool relu,
                     bool training);

// What `normalise` took and returned. `y` is undefined where there was no residual: then x says
// what passed the ReLU.
struct NormForward {
  const at::Tensor &x, &y, &weight, &bias, &mean, &inverse;
  bool with_residual, relu, training;
};

struct NormGradients {
  at::Tensor x, residual, weight, bias;
};

// `dy` and `x` lie in the same order.
NormGradients normalise_backward(const at::Tensor& dy, const NormForward& from);

}  // namespace lyceum
