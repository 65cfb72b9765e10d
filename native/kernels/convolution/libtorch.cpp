// ATen's convolution over the memory that the kernels are given.
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "optional.h"
#include "kernels/channels.h"
#include "kernels/convolution/implementations.h"

namespace lyceum::libtorch {
namespace {

struct Sizes {
  int64_t batch, channels, height, width;
};

Sizes in_sizes(const ConvolutionShape& s) { return {s.batch, s.in_channels, s.height, s.width}; }
Sizes out_sizes(const ConvolutionShape& s) {
  return {s.batch, s.out_channels, s.out_height(), s.out_width()};
}

at::Tensor over(const void* data, at::IntArrayRef sizes, at::IntArrayRef strides,
                at::ScalarType type) {
  return at::from_blob(const_cast<void*>(data), sizes, strides, at::TensorOptions(type));
}

// An activation's memory as [N, H, W, C / 16, 16]. With sixteen channels both orders are the same.
at::Tensor rows(const void* data, const Sizes& s, const ConvolutionShape& shape) {
  const int64_t pixels = s.height * s.width, blocks = std::max<int64_t>(1, s.channels / kLanes);
  const auto type = shape.bfloat16 ? at::kBFloat16 : at::kFloat;
  if (shape.blocked) {
    return over(data, {s.batch, s.height, s.width, blocks, kLanes},
                {s.channels * pixels, s.width * kLanes, kLanes, pixels * kLanes, 1}, type);
  }
  return over(data, {s.batch, s.height, s.width, 1, s.channels},
              {s.channels * pixels, s.width * s.channels, s.channels, s.channels, 1}, type);
}

// [N, C, H, W] in channels-last: the memory itself, or a copy of blocks.
at::Tensor read(const void* data, const Sizes& s, const ConvolutionShape& shape) {
  return rows(data, s, shape)
      .reshape({s.batch, s.height, s.width, s.channels})
      .permute({0, 3, 1, 2});
}

void write(const at::Tensor& from, void* data, const Sizes& s, const ConvolutionShape& shape) {
  const at::Tensor to = rows(data, s, shape);
  to.copy_(from.permute({0, 2, 3, 1}).reshape(to.sizes()));
}

at::Tensor weights(const void* data, const ConvolutionShape& s) {
  const int64_t h = s.kernel_height, w = s.kernel_width, c = s.in_channels;
  const int64_t sizes[] = {s.out_channels, c, h, w};
  return s.weights_last ? over(data, sizes, {h * w * c, 1, w * c, c}, at::kFloat)
                        : over(data, sizes, {c * h * w, h * w, w, 1}, at::kFloat);
}

at::Tensor in_type(const at::Tensor& values, const ConvolutionShape& s) {
  return s.bfloat16 ? values.to(at::kBFloat16) : values;
}

// The gradients of input, weight and bias, as far as they are wanted.
std::tuple<at::Tensor, at::Tensor, at::Tensor> backward(const ConvolutionShape& s,
                                                        const at::Tensor& dy, const at::Tensor& x,
                                                        const at::Tensor& weight,
                                                        std::array<bool, 3> wanted) {
  const int64_t biases[] = {s.out_channels};
  const at::OptionalIntArrayRef bias =
      wanted[2] ? at::OptionalIntArrayRef(biases) : at::OptionalIntArrayRef();
  return at::convolution_backward(dy, x, weight, bias, {s.stride_height, s.stride_width},
                                  {s.pad_height, s.pad_width}, {1, 1}, false, {0, 0}, 1, wanted);
}

void convolve(const ConvolutionShape& s, const ForwardMemory& given) {
  Optional<at::Tensor> bias;
  if (s.bias) bias = in_type(over(given.bias, {s.out_channels}, {1}, at::kFloat), s);
  at::Tensor y = at::convolution(
      read(given.x, in_sizes(s), s), in_type(weights(given.weight, s), s), bias,
      {s.stride_height, s.stride_width}, {s.pad_height, s.pad_width}, {1, 1}, false, {0, 0}, 1);
  if (s.sum) y.add_(read(given.y, out_sizes(s), s));
  if (s.relu) y.relu_();
  write(y, given.y, out_sizes(s), s);
}

void convolve_backward_data(const ConvolutionShape& s, const BackwardDataMemory& given) {
  const at::Tensor weight = in_type(weights(given.weight, s), s);
  // The operator reads its shape only.
  const at::Tensor x = at::empty({s.batch, s.in_channels, s.height, s.width}, weight.options(),
                                 at::MemoryFormat::ChannelsLast);
  const auto found = backward(s, read(given.dy, out_sizes(s), s), x, weight, {true, false, false});
  write(std::get<0>(found), given.dx, in_sizes(s), s);
}

void convolve_backward_weights(const ConvolutionShape& s, const BackwardWeightsMemory& given) {
  const at::Tensor d_weight = weights(given.d_weight, s);
  const auto found = backward(s, read(given.dy, out_sizes(s), s), read(given.x, in_sizes(s), s),
                              in_type(d_weight, s), {false, true, s.bias});
  d_weight.copy_(std::get<1>(found));
  if (s.bias) over(given.d_bias, {s.out_channels}, {1}, at::kFloat).copy_(std::get<2>(found));
}

bool suits(const ConvolutionShape&, Pass) { return true; }

Layout packed_layout(const ConvolutionShape&) { return {0}; }

void pack(const ConvolutionShape&, const void*, float*) {}

bool adds_to_gradient(const ConvolutionShape&) { return false; }

}  // namespace

const Implementation implementation{
    suits,           packed_layout,          pack,
    convolve,        convolve_backward_data, convolve_backward_weights,
    adds_to_gradient};

}  // namespace lyceum::libtorch
