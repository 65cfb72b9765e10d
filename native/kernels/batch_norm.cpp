#include "kernels/batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "kernels/batch_norm_loops.h"

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
              "batch_norm: x must be float32 or bfloat16, [N, C, H, W] or [N, C / 16, H, W, 16], on the CPU, got ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(!residual.defined() || (residual.is_cpu() && residual.scalar_type() == x.scalar_type() &&
                                      residual.layout() == at::kStrided && residual.sizes() == x.sizes()),
              "batch_norm: the residual must be as x, ", x.scalar_type(), " ", x.sizes(), ", got ", residual.scalar_type(),
              " ", residual.sizes());
}

// A fixed number of parts, whatever the number of threads, so that sums round the same with any.
constexpr int64_t kParts = 32;

template <class Body>
void for_parts(const Channels& c, const Body& body) {
  const int64_t tiles = c.tiles();
  at::parallel_for(0, kParts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      body(part, tiles * part / kParts, tiles * (part + 1) / kParts);
    }
  });
}

// Mean and biased variance of each channel.
struct Statistics {
  std::vector<double> mean, variance;
  double count = 0;
};

template <class T>
Statistics statistics_of(const T* x, const Channels& c) {
  std::vector<double> mean(kParts * c.channels), squares(kParts * c.channels);
  std::vector<Moments> parts(kParts);
  for (int64_t part = 0; part < kParts; part++) {
    parts[part] = {0, mean.data() + part * c.channels, squares.data() + part * c.channels};
  }
  for_parts(c, [&](int64_t part, int64_t begin, int64_t end) {
    find_moments(x, c, begin, end, parts[part]);
  });
  for (int64_t part = 1; part < kParts; part++) parts[0].add(parts[part], c.channels);
  mean.resize(c.channels);
  squares.resize(c.channels);
  for (double& value : squares) value /= parts[0].count;
  return {std::move(mean), std::move(squares), parts[0].count};
}

}  // namespace

void Norm::bump_versions() const {
  running_mean.unsafeGetTensorImpl()->bump_version();
  running_var.unsafeGetTensorImpl()->bump_version();
}

Normalised normalise(const at::Tensor& x_in, const Norm& norm, const at::Tensor& residual_given, bool relu,
                     bool training) {
  const auto& [weight, bias, running_mean, running_var, momentum, eps] = norm;
  check_input(x_in, residual_given);
  const int64_t channels = channels_of(x_in);
  check_channel_values(weight, "weight", channels);
  check_channel_values(bias, "bias", channels);
  check_channel_values(running_mean, "running_mean", channels);
  check_channel_values(running_var, "running_var", channels);

  const at::Tensor x = in_order(x_in);
  const at::Tensor residual = residual_given.defined() ? in_order(residual_given) : at::Tensor();
  at::Tensor y = at::empty_like(x), mean = at::empty_like(weight), inverse = at::empty_like(weight);
  if (training && x.numel() == 0) return {y, mean.zero_(), inverse.zero_()};

  const Channels c = channels_in(x);
  float* means = mean.data_ptr<float>();
  float* inverses = inverse.data_ptr<float>();
  float* averages = running_mean.data_ptr<float>();
  float* variances = running_var.data_ptr<float>();
  std::vector<float> scale(channels), shift(channels);
  Statistics found;
  if (training) {
    found = x.scalar_type() == at::kFloat ? statistics_of(x.data_ptr<float>(), c)
                                          : statistics_of(x.data_ptr<at::BFloat16>(), c);
  }
  for (int64_t i = 0; i < channels; i++) {
    const double centre = training ? found.mean[i] : averages[i];
    const double variance = training ? found.variance[i] : variances[i];
    const double slope = double(weight.data_ptr<float>()[i]) / std::sqrt(variance + eps);
    means[i] = float(centre);
    inverses[i] = float(1 / std::sqrt(variance + eps));
    scale[i] = float(slope);
    shift[i] = float(bias.data_ptr<float>()[i] - centre * slope);
    if (!training) continue;
    // The averages hold the unbiased variance.
    const double unbiased = variance * found.count / (found.count - 1);
    averages[i] = float((1 - momentum) * averages[i] + momentum * centre);
    variances[i] = float((1 - momentum) * variances[i] + momentum * unbiased);
  }
  const auto run = [&](auto* y_data) {
    using T = std::remove_pointer_t<decltype(y_data)>;
    const Apply<T> given{x.data_ptr<T>(), residual.defined() ? residual.data_ptr<T>() : nullptr,
                                 scale.data(),    shift.data(),
                                 y_data,          relu};
    for_parts(c, [&](int64_t, int64_t begin, int64_t end) { apply(given, c, begin, end); });
  };
  if (x.scalar_type() == at::kFloat) {
    run(y.data_ptr<float>());
  } else {
    run(y.data_ptr<at::BFloat16>());
  }
  return {y, mean, inverse};
}

namespace {

template <class T>
NormGradients backward(const at::Tensor& dy, const NormForward& from, bool spent) {
  const auto& [x, y, weight, bias, mean, inverse, with_residual, relu, training] = from;
  const Channels c = channels_in(x);
  NormGradients result{spent ? dy : at::empty_like(x), at::Tensor(), at::empty_like(weight), at::empty_like(weight)};
  if (with_residual) result.residual = relu ? at::empty_like(x) : dy;

  std::vector<float> scale(c.channels), shift(c.channels), along(c.channels), level(c.channels);
  const float* means = mean.data_ptr<float>();
  const float* inverses = inverse.data_ptr<float>();
  for (int64_t i = 0; i < c.channels; i++) {
    const double slope = double(weight.data_ptr<float>()[i]) * inverses[i];
    scale[i] = float(slope);
    shift[i] = float(bias.data_ptr<float>()[i] - means[i] * slope);
  }
  Passed<T> passed{dy.data_ptr<T>(), x.data_ptr<T>(), nullptr, scale.data(), shift.data(), relu};
  if (y.defined()) passed.y = y.data_ptr<T>();
  T* written = with_residual && relu ? result.residual.data_ptr<T>() : nullptr;

  std::vector<double> sums(kParts * c.channels), products(kParts * c.channels);
  for_parts(c, [&](int64_t part, int64_t begin, int64_t end) {
    sum_gradient(passed, means, written, sums.data() + part * c.channels,
                         products.data() + part * c.channels, c, begin, end);
  });
  const double count = double(std::max<int64_t>(1, x.numel() / c.channels));
  for (int64_t i = 0; i < c.channels; i++) {
    double sum = 0, product = 0;
    for (int64_t part = 0; part < kParts; part++) {
      sum += sums[part * c.channels + i];
      product += products[part * c.channels + i];
    }
    result.bias.data_ptr<float>()[i] = float(sum);
    result.weight.data_ptr<float>()[i] = float(product * inverses[i]);
    level[i] = float(scale[i] * sum / count);
    along[i] = float(scale[i] * product * inverses[i] * inverses[i] / count);
  }
  if (written) {
    // What passed has been written down: nothing to work out again.
    passed.dy = written;
    passed.relu = false;
  }
  T* dx = result.x.data_ptr<T>();
  const OfBatch of{means, along.data(), level.data()};
  for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    input_gradient(passed, training ? &of : nullptr, dx, c, begin, end);
  });
  return result;
}

}  // namespace

NormGradients normalise_backward(const at::Tensor& dy, const NormForward& from, bool spent) {
  return from.x.scalar_type() == at::kFloat ? backward<float>(dy, from, spent)
                                            : backward<at::BFloat16>(dy, from, spent);
}

}  // namespace lyceum
