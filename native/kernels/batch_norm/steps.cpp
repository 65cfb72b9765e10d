#include "kernels/batch_norm/steps.h"

#include <ATen/ops/empty_like.h>

#include <cmath>

#include "kernels/channels.h"

namespace lyceum {

PartMoments::PartMoments(int64_t parts, int64_t channels)
    : channels_(channels), mean_(parts * channels), squares_(parts * channels), parts_(parts) {
  for (int64_t part = 0; part < parts; part++) {
    parts_[part] = {0, mean_.data() + part * channels, squares_.data() + part * channels};
  }
}

Statistics PartMoments::all() {
  for (size_t part = 1; part < parts_.size(); part++) parts_[0].add(parts_[part], channels_);
  mean_.resize(channels_);
  squares_.resize(channels_);
  for (double& value : squares_) value /= parts_[0].count;
  return {std::move(mean_), std::move(squares_), parts_[0].count};
}

namespace {

template <class T>
Statistics statistics_as(const at::Tensor& x) {
  const Channels c = channels_in(x);
  PartMoments parts(kParts, c.channels);
  for_parts(c, [&](int64_t part, int64_t begin, int64_t end) {
    batch_norm_kernels<T>().find_moments(values_of<T>(x), c, begin, end, parts[part]);
  });
  return parts.all();
}

template <class T>
void scale_as(const at::Tensor& x, const Scaling& scaling, const at::Tensor& residual, bool relu,
              const at::Tensor& y) {
  const Channels c = channels_in(x);
  const batch_norm::Apply<T> given{
      values_of<T>(x),      residual.defined() ? values_of<T>(residual) : nullptr,
      scaling.scale.data(), scaling.shift.data(),
      values_of<T>(y),      relu};
  for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    batch_norm_kernels<T>().apply(given, c, begin, end);
  });
}

}  // namespace

Statistics statistics_of(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat ? statistics_as<float>(x) : statistics_as<BFloat16>(x);
}

at::Tensor scaled(const at::Tensor& x, const Scaling& scaling, const at::Tensor& residual,
                  bool relu) {
  const at::Tensor y = at::empty_like(x);
  (x.scalar_type() == at::kFloat ? scale_as<float> : scale_as<BFloat16>)(x, scaling, residual, relu,
                                                                         y);
  return y;
}

Scaling scaling_of(const at::Tensor& weight, const at::Tensor& bias, const double* mean,
                   const double* inverse) {
  const int64_t channels = weight.numel();
  Scaling found{std::vector<float>(channels), std::vector<float>(channels)};
  for (int64_t i = 0; i < channels; i++) {
    const double slope = double(weight.data_ptr<float>()[i]) * inverse[i];
    found.scale[i] = float(slope);
    found.shift[i] = float(bias.data_ptr<float>()[i] - mean[i] * slope);
  }
  return found;
}

Settled settle(const Norm& norm, const Statistics& found) {
  const auto& [weight, bias, running_mean, running_var, momentum, eps] = norm;
  const int64_t channels = weight.numel();
  Settled settled{at::empty_like(weight), at::empty_like(weight), {}};
  std::vector<double> inverses(channels);
  float* averages = running_mean.data_ptr<float>();
  float* variances = running_var.data_ptr<float>();
  for (int64_t i = 0; i < channels; i++) {
    const double centre = found.mean[i], variance = found.variance[i];
    inverses[i] = 1 / std::sqrt(variance + eps);
    settled.mean.data_ptr<float>()[i] = float(centre);
    settled.inverse.data_ptr<float>()[i] = float(inverses[i]);
    // The averages hold the unbiased variance.
    const double unbiased = variance * found.count / (found.count - 1);
    averages[i] = float((1 - momentum) * averages[i] + momentum * centre);
    variances[i] = float((1 - momentum) * variances[i] + momentum * unbiased);
  }
  settled.scaling = scaling_of(weight, bias, found.mean.data(), inverses.data());
  return settled;
}

namespace {

std::vector<double> doubles(const at::Tensor& values) {
  const float* from = values.data_ptr<float>();
  return {from, from + values.numel()};
}

}  // namespace

template <class T>
NormGradient<T>::NormGradient(const at::Tensor& weight_given, const at::Tensor& bias_given,
                              const at::Tensor& mean, const at::Tensor& inverse, bool relu,
                              int64_t parts)
    : weight(at::empty_like(weight_given)),
      bias(at::empty_like(bias_given)),
      relu_(relu),
      parts_(parts),
      mean_(mean),
      inverse_(inverse),
      scaling_(scaling_of(weight_given, bias_given, doubles(mean).data(), doubles(inverse).data())),
      along_(mean.numel()),
      level_(mean.numel()),
      sums_(parts * mean.numel()),
      products_(parts * mean.numel()) {}

template <class T>
void NormGradient<T>::sum(int64_t part, const Memory& memory, const Channels& c, int64_t begin,
                          int64_t end) {
  const batch_norm::Passed<T> passed{
      memory.dy, memory.x, memory.y, scaling_.scale.data(), scaling_.shift.data(), relu_};
  batch_norm_kernels<T>().sum_gradient(passed, mean_.data_ptr<float>(), memory.passed,
                                       sums_.data() + part * c.channels,
                                       products_.data() + part * c.channels, c, begin, end);
}

template <class T>
void NormGradient<T>::settle(double count, bool of_batch) {
  const int64_t channels = mean_.numel();
  const float* inverses = inverse_.data_ptr<float>();
  of_batch_ = of_batch;
  for (int64_t i = 0; i < channels; i++) {
    double sum = 0, product = 0;
    for (int64_t part = 0; part < parts_; part++) {
      sum += sums_[part * channels + i];
      product += products_[part * channels + i];
    }
    bias.data_ptr<float>()[i] = float(sum);
    weight.data_ptr<float>()[i] = float(product * inverses[i]);
    level_[i] = float(scaling_.scale[i] * sum / count);
    along_[i] = float(scaling_.scale[i] * product * inverses[i] * inverses[i] / count);
  }
}

template <class T>
void NormGradient<T>::input(const T* dy, const T* x, T* dx, bool through, const Channels& c,
                            int64_t begin, int64_t end) const {
  const batch_norm::Passed<T> passed{
      dy, x, nullptr, scaling_.scale.data(), scaling_.shift.data(), through && relu_};
  const batch_norm::BatchTerms terms{mean_.data_ptr<float>(), along_.data(), level_.data()};
  batch_norm_kernels<T>().input_gradient(passed, of_batch_ ? &terms : nullptr, dx, c, begin, end);
}

template class NormGradient<float>;
template class NormGradient<BFloat16>;

}  // namespace lyceum
