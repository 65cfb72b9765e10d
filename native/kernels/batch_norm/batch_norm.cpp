#include "kernels/batch_norm/batch_norm.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/batch_norm/steps.h"
#include "kernels/channels.h"

namespace lyceum {
namespace {

void check_channel_values(const at::Tensor& values, const char* name, int64_t channels) {
  TORCH_CHECK(values.is_cpu() && values.scalar_type() == at::kFloat && values.is_contiguous() &&
                  values.sizes() == at::IntArrayRef({channels}),
              "batch_norm: ", name, " must be contiguous float32 [", channels, "] on the CPU, got ",
              values.scalar_type(), " ", values.sizes());
}

void check_input(const at::Tensor& x, const at::Tensor& residual) {
  TORCH_CHECK(x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
                  x.layout() == at::kStrided && (x.dim() == 4 || is_blocked(x)),
              "batch_norm: x must be float32 or bfloat16, [N, C, H, W] or [N, C / 16, H, W, 16], "
              "on the CPU, got ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(
      !residual.defined() || (residual.is_cpu() && residual.scalar_type() == x.scalar_type() &&
                              residual.layout() == at::kStrided && residual.sizes() == x.sizes()),
      "batch_norm: the residual must be as x, ", x.scalar_type(), " ", x.sizes(), ", got ",
      residual.scalar_type(), " ", residual.sizes());
}

// The same from the running averages.
Settled settle_on_averages(const Norm& norm) {
  const int64_t channels = norm.weight.numel();
  std::vector<double> mean(channels), inverse(channels);
  Settled settled{norm.running_mean.clone(), at::empty_like(norm.weight), {}};
  for (int64_t i = 0; i < channels; i++) {
    mean[i] = norm.running_mean.data_ptr<float>()[i];
    inverse[i] = 1 / std::sqrt(norm.running_var.data_ptr<float>()[i] + norm.eps);
    settled.inverse.data_ptr<float>()[i] = float(inverse[i]);
  }
  settled.scaling = scaling_of(norm.weight, norm.bias, mean.data(), inverse.data());
  return settled;
}

}  // namespace

void Norm::bump_versions() const {
  running_mean.unsafeGetTensorImpl()->bump_version();
  running_var.unsafeGetTensorImpl()->bump_version();
}

void check_norm(const at::Tensor& x, const Norm& norm, const at::Tensor& residual) {
  check_input(x, residual);
  const int64_t channels = channels_of(x);
  check_channel_values(norm.weight, "weight", channels);
  check_channel_values(norm.bias, "bias", channels);
  check_channel_values(norm.running_mean, "running_mean", channels);
  check_channel_values(norm.running_var, "running_var", channels);
}

Normalised normalise(const at::Tensor& x_in, const Norm& norm, const at::Tensor& residual,
                     bool relu, bool training) {
  check_norm(x_in, norm, residual);
  const at::Tensor x = in_order(x_in);
  if (training && x.numel() == 0) {
    return {at::empty_like(x), at::zeros_like(norm.weight), at::zeros_like(norm.weight)};
  }
  const Settled settled = training ? settle(norm, statistics_of(x)) : settle_on_averages(norm);
  if (training) norm.bump_versions();
  const at::Tensor y =
      scaled(x, settled.scaling, residual.defined() ? in_order(residual) : residual, relu);
  return {y, settled.mean, settled.inverse};
}

namespace {

template <class T>
NormGradients backward(const at::Tensor& dy, const NormForward& from) {
  const auto& [x, y, weight, bias, mean, inverse, with_residual, relu, training] = from;
  const Channels c = channels_in(x);
  const at::Tensor dx = at::empty_like(x);
  const bool written = with_residual && relu;
  const at::Tensor residual = written ? at::empty_like(x) : with_residual ? dy : at::Tensor();

  NormGradient<T> gradient(weight, bias, mean, inverse, relu, kParts);
  typename NormGradient<T>::Memory memory{values_of<T>(dy), values_of<T>(x)};
  if (written) {
    memory.y = values_of<T>(y);
    memory.passed = values_of<T>(residual);
  }
  for_parts(c, [&](int64_t part, int64_t begin, int64_t end) {
    gradient.sum(part, memory, c, begin, end);
  });
  gradient.settle(double(std::max<int64_t>(1, x.numel() / c.channels)), training);
  // Where what passed was written down, it need not be worked out again.
  const T* passed = written ? memory.passed : memory.dy;
  for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    gradient.input(passed, memory.x, values_of<T>(dx), !written, c, begin, end);
  });
  return {dx, residual, gradient.weight, gradient.bias};
}

}  // namespace

NormGradients normalise_backward(const at::Tensor& dy, const NormForward& from) {
  return from.x.scalar_type() == at::kFloat ? backward<float>(dy, from)
                                            : backward<BFloat16>(dy, from);
}

}  // namespace lyceum
