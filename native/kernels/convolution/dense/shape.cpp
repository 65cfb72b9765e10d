#include "kernels/convolution/dense/shape.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

#include "kernels/isa.h"

namespace lyceum {

DenseShape::DenseShape(int64_t in_channels, int64_t inner, int64_t growth, int64_t height,
                       int64_t width)
    : in_channels(in_channels), inner(inner), growth(growth), height(height), width(width) {
  for (int64_t left = in_channels; left > 0; left -= kLanes) {
    lanes.push_back(std::min(left, kLanes));
  }
}

int64_t DenseShape::channels() const {
  return std::accumulate(lanes.begin(), lanes.end(), int64_t{0});
}

DenseShape DenseShape::averaged(const char* name, at::IntArrayRef window) const {
  TORCH_CHECK(window.size() == 2 && window[0] > 0 && window[1] > 0 && height % window[0] == 0 &&
                  width % window[1] == 0,
              name, ": a window must divide images of ", height, "x", width, ", got ", window);
  DenseShape small = *this;
  small.height /= window[0];
  small.width /= window[1];
  return small;
}

int64_t DenseShape::images_at_once() const {
  constexpr int64_t kFloats = 1 << 15, kMost = 3;
  return std::clamp<int64_t>(kFloats / plane(), 1, kMost);
}

DenseShape dense_shape(const char* name, const at::Tensor& x, const at::Tensor& narrow,
                       const at::Tensor& wide) {
  TORCH_CHECK(kernels().has_convolutions(), name,
              " needs a processor with AVX2 and FMA, or AVX-512");
  TORCH_CHECK(x.is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided &&
                  x.dim() == 4 && x.size(1) > 0 && x.size(2) * x.size(3) >= pointwise::kPixels,
              name, ": x must be float32 [N, C, H, W] of ", pointwise::kPixels,
              " pixels or more on the CPU, got ", x.scalar_type(), " ", x.sizes());
  // Tensors without images cost no memory, however large; and sizes must not overflow.
  constexpr int64_t kMost = 1000 * 1000;
  TORCH_CHECK(x.size(1) <= kMost && x.size(2) <= kMost && x.size(3) <= kMost && !x.is_neg(), name,
              ": x is too large, or lazily negated: ", x.sizes());
  TORCH_CHECK(wide.dim() == 4, name, ": weights must be [K, C, h, w], got ", wide.sizes());
  const DenseShape shape(x.size(1), wide.size(1), wide.size(0), x.size(2), x.size(3));
  TORCH_CHECK(
      shape.inner > 0 && shape.inner % kLanes == 0 && shape.growth >= 1 && shape.growth <= kLanes,
      name, ": a layer must narrow to a multiple of 16 channels and grow by 1 to 16, got ",
      shape.inner, " and ", shape.growth);
  check_dense_weights(name, shape, shape.in_channels, narrow, wide);
  return shape;
}

void check_dense_values(const char* name, const at::Tensor& values, int64_t count,
                        const char* what) {
  TORCH_CHECK(values.is_cpu() && values.scalar_type() == at::kFloat && values.is_contiguous() &&
                  !values.is_neg() && values.sizes() == at::IntArrayRef({count}),
              name, ": ", what, " must be contiguous float32 [", count, "] on the CPU, got ",
              values.scalar_type(), " ", values.sizes());
}

void check_dense_weights(const char* name, const DenseShape& shape, int64_t channels,
                         const at::Tensor& narrow, const at::Tensor& wide) {
  const auto check = [&](const at::Tensor& weight, at::IntArrayRef sizes) {
    TORCH_CHECK(weight.is_cpu() && weight.scalar_type() == at::kFloat &&
                    weight.layout() == at::kStrided && !weight.is_neg() && weight.sizes() == sizes,
                name, ": a weight must be float32 ", sizes, " on the CPU, got ",
                weight.scalar_type(), " ", weight.sizes());
  };
  check(narrow, {shape.inner, channels, 1, 1});
  check(wide, {shape.growth, shape.inner, 3, 3});
}

namespace {

lanes::Shape image_of(const DenseShape& s) {
  return {s.pixels(), s.channels(), int64_t(s.lanes.size()), s.lanes.data()};
}

}  // namespace

void read_lanes(const DenseShape& shape, const float* from, int64_t block_stride, float* to) {
  kernels().lanes.read(image_of(shape), from, block_stride, to);
}

void write_lanes(const DenseShape& shape, const float* from, int64_t block_stride, float* to) {
  kernels().lanes.write(image_of(shape), from, block_stride, to);
}

std::vector<float> in_lanes(const std::vector<int64_t>& lanes, const float* of_channels) {
  std::vector<float> values(lanes.size() * kLanes);
  for (size_t block = 0; block < lanes.size(); block++) {
    std::copy_n(of_channels, lanes[block], &values[block * kLanes]);
    of_channels += lanes[block];
  }
  return values;
}

void pack_narrow(const at::Tensor& weight, const std::vector<int64_t>& lanes, float* to) {
  const int64_t out = weight.size(0);
  const at::Tensor from = weight.reshape({out, -1}).t().contiguous();
  const float* row = from.data_ptr<float>();
  for (const int64_t used : lanes) {
    std::copy_n(row, used * out, to);
    std::fill_n(to + used * out, (kLanes - used) * out, 0.0f);
    row += used * out;
    to += kLanes * out;
  }
}

at::Tensor padded_wide(const at::Tensor& weight) {
  at::Tensor padded = at::zeros({kLanes, weight.size(1), 3, 3}, weight.options());
  padded.narrow(0, 0, weight.size(0)).copy_(weight);
  return padded;
}

}  // namespace lyceum
