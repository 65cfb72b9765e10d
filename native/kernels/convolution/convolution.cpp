#include "kernels/convolution/convolution.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "kernels/channels.h"
#include "kernels/convolution/implementations.h"
#include "kernels/convolution/kept_weights.h"
#include "kernels/convolution/winograd.h"
#include "kernels/isa/stem/kernels.h"

namespace lyceum {
namespace {

// The layout [3, 3, C, K] in which a first layer's weights are kept (kept_weights.h).
constexpr uint64_t kStemLayout = 1;

void check(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
           const Window& window) {
  const auto& stride = window.stride;
  const auto& padding = window.padding;
  const bool blocked = x.dim() == 5;
  TORCH_CHECK(x.is_cpu() && x.layout() == at::kStrided &&
                  (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
                  (x.dim() == 4 || is_blocked(x)),
              "conv2d: x must be float32 or bfloat16, [N, C, H, W] or [N, C / 16, H, W, 16], on "
              "the CPU, got ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(
      weight.is_cpu() && weight.layout() == at::kStrided && weight.scalar_type() == at::kFloat &&
          weight.dim() == 4 && weight.size(1) == channels_of(x) && weight.numel() > 0 &&
          (!blocked || weight.size(0) % kLanes == 0),
      "conv2d: weight must be float32 [K, ", channels_of(x), ", h, w] on the CPU",
      blocked ? ", K a multiple of 16" : "", ", got ", weight.scalar_type(), " ", weight.sizes());
  TORCH_CHECK(!bias.defined() || (bias.is_cpu() && bias.layout() == at::kStrided &&
                                  bias.scalar_type() == at::kFloat &&
                                  bias.sizes() == at::IntArrayRef({weight.size(0)})),
              "conv2d: bias must be float32 [", weight.size(0), "] on the CPU, got ",
              bias.scalar_type(), " ", bias.sizes());
  TORCH_CHECK(stride.size() == 2 && padding.size() == 2,
              "conv2d: stride and padding must be two numbers each");
  for (int i = 0; i < 2; i++) {
    const int64_t size = x.size(2 + i), window = weight.size(2 + i);
    TORCH_CHECK(stride[i] >= 1 && stride[i] <= (1 << 16) && padding[i] >= 0 && padding[i] < window,
                "conv2d: stride must be 1 or more and padding less than the window, got ", stride,
                " and ", padding, " for a window of [", weight.size(2), ", ", weight.size(3), "]");
    TORCH_CHECK(size >= 1 && size + 2 * padding[i] >= window, "conv2d: a window of [",
                weight.size(2), ", ", weight.size(3), "] does not fit into ", x.sizes(),
                " with padding ", padding);
    // oneDNN counts in 32 bits in places.
    TORCH_CHECK(size < (1 << 24) && window < (1 << 12), "conv2d: too large: ", x.sizes(), ", ",
                weight.sizes());
  }
}

// Weights as oneDNN can read them: in either of the two usual orders.
at::Tensor dense(const at::Tensor& weight) {
  return weight.is_contiguous() || weight.is_contiguous(at::MemoryFormat::ChannelsLast)
             ? weight
             : weight.contiguous();
}

ConvolutionShape shape_of(const at::Tensor& x, const at::Tensor& weight, bool bias,
                          const Window& window) {
  ConvolutionShape s{};
  s.batch = x.size(0);
  s.in_channels = channels_of(x);
  s.height = x.size(2);
  s.width = x.size(3);
  s.out_channels = weight.size(0);
  s.kernel_height = weight.size(2);
  s.kernel_width = weight.size(3);
  s.stride_height = window.stride[0];
  s.stride_width = window.stride[1];
  s.pad_height = window.padding[0];
  s.pad_width = window.padding[1];
  s.blocked = is_blocked(x);
  s.bfloat16 = x.scalar_type() == at::kBFloat16;
  s.allow_winograd = window.allow_winograd;
  s.bias = bias;
  s.weights_last = !weight.is_contiguous();
  s.threads = at::get_num_threads();
  return s;
}

at::Tensor empty_result(const at::TensorOptions& options, const ConvolutionShape& s) {
  if (s.blocked) {
    return at::empty({s.batch, s.out_channels / kLanes, s.out_height(), s.out_width(), kLanes},
                     options);
  }
  return at::empty({s.batch, s.out_channels, s.out_height(), s.out_width()}, options,
                   at::MemoryFormat::ChannelsLast);
}

// What the implementation that serves prepares of the weight, if anything; kept by the tensor that
// the caller holds, since a dense copy of it is another each time.
at::Tensor kept_packed(const at::Tensor& weight, const ConvolutionShape& shape) {
  const Implementation& serves = implementation_for(shape, Pass::kForward);
  const Layout layout = serves.packed_layout(shape);
  if (layout.size == 0) return {};
  return kept_weights(weight, layout, [&](float* packed) {
    const at::Tensor plain = weight.contiguous();
    serves.pack(shape, plain.data_ptr(), packed);
  });
}

// The shape in a frozen network, of weights in the plain order: oneDNN turns only those into some
// of its own orders.
ConvolutionShape frozen(ConvolutionShape shape) {
  shape.frozen = true;
  shape.weights_last = false;
  return shape;
}

}  // namespace

at::Tensor convolve(const at::Tensor& x_in, const at::Tensor& weight_in, const at::Tensor& bias_in,
                    const Window& window, const AfterConvolution& after) {
  check(x_in, weight_in, bias_in, window);
  const at::Tensor x = in_order(x_in), weight = dense(weight_in);
  const at::Tensor bias = bias_in.defined() ? bias_in.contiguous() : at::Tensor();
  ConvolutionShape shape = shape_of(x, weight, bias.defined(), window);
  shape.sum = after.sum.defined();
  shape.relu = after.relu;
  at::Tensor y = empty_result(x.options(), shape);
  if (shape.sum) {
    TORCH_CHECK(after.sum.is_cpu() && after.sum.layout() == at::kStrided &&
                    after.sum.scalar_type() == x.scalar_type() && after.sum.sizes() == y.sizes() &&
                    after.sum.is_contiguous(order_of(x)),
                "conv2d: what is added to must be as the result, ", y.scalar_type(), " ", y.sizes(),
                " in the same order of memory, got ", after.sum.scalar_type(), " ",
                after.sum.sizes(), " of strides ", after.sum.strides());
    y = after.sum;
  }
  if (y.numel() == 0) return y;
  const at::Tensor kept = after.frozen ? kept_packed(weight_in, frozen(shape)) : at::Tensor();
  if (kept.defined()) shape = frozen(shape);
  implementation_for(shape, Pass::kForward)
      .convolve(shape, {x.data_ptr(), weight.data_ptr(), bias.defined() ? bias.data_ptr() : nullptr,
                        y.data_ptr(), kept.defined() ? kept.data_ptr<float>() : nullptr});
  return y;
}

namespace {

using Blocks = std::vector<std::array<Filters, 2>>;

// Whether our own kernels serve all of them.
bool own_blocks(const at::Tensor& x, const Blocks& blocks, const Window& window) {
  bool own = x.numel() > 0 && !blocks.empty();
  for (const auto& block : blocks) {
    for (const Filters& filters : block) {
      check(x, filters.weight, filters.bias, window);
      own = own && filters.bias.defined() &&
            winograd::suits(shape_of(x, dense(filters.weight), true, window));
    }
  }
  return own;
}

void convolve_own_blocks(const at::Tensor& x, const at::Tensor& y, const Blocks& blocks,
                         const Window& window, const winograd::StemMemory* stem = nullptr) {
  // Keeps the memory alive that the kernels are given.
  std::vector<at::Tensor> held;
  std::vector<winograd::BlockMemory> memory(blocks.size());
  for (size_t i = 0; i < blocks.size(); i++) {
    for (size_t j = 0; j < 2; j++) {
      const auto& [weight, bias] = blocks[i][j];
      held.push_back(kept_packed(weight, frozen(shape_of(x, dense(weight), true, window))));
      memory[i].packed[j] = held.back().data_ptr<float>();
      held.push_back(bias.contiguous());
      memory[i].biases[j] = held.back().data_ptr<float>();
    }
  }
  winograd::convolve_blocks(shape_of(x, dense(blocks[0][0].weight), true, window), memory,
                            x.data_ptr(), y.data_ptr(), stem);
}

// [N, C, H, W] in channels-last to blocks.
at::Tensor in_blocks(const at::Tensor& x) {
  const int64_t n = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  const at::Tensor rows =
      x.permute({0, 2, 3, 1}).reshape({n, height, width, channels / kLanes, kLanes});
  return rows.permute({0, 3, 1, 2, 4}).contiguous();
}

}  // namespace

void convolve_blocks(const at::Tensor& x, const at::Tensor& y, const Blocks& blocks,
                     const Window& window) {
  if (own_blocks(x, blocks, window)) return convolve_own_blocks(x, y, blocks, window);
  if (!y.is_same(x)) at::Tensor(y).copy_(x);
  if (x.numel() == 0) return;
  for (const auto& [first, second] : blocks) {
    const at::Tensor inner = convolve(y, first.weight, first.bias, window, {{}, true, true});
    convolve(inner, second.weight, second.bias, window, {y, true, true});
  }
}

at::Tensor convolve_stage(const at::Tensor& images_given, const Filters& first,
                          const Blocks& blocks, const Window& window) {
  check(images_given, first.weight, first.bias, window);
  const at::Tensor images = in_order(images_given);
  const int64_t channels = first.weight.size(0);
  TORCH_CHECK(!is_blocked(images) && channels % kLanes == 0 && first.weight.size(2) == 3 &&
                  first.weight.size(3) == 3 && first.bias.defined(),
              "conv2d: a first layer must be [16 K, C, 3, 3] with a bias, of [N, C, H, W], got ",
              first.weight.sizes(), " of ", images.sizes());
  const stem::Shape shape{images.size(2), images.size(3), images.size(1), channels};
  at::Tensor x = at::empty({images.size(0), channels / kLanes, shape.height, shape.width, kLanes},
                           images.options(), at::MemoryFormat::Contiguous);
  if (images.scalar_type() != at::kFloat || !stem::suits(shape) || !own_blocks(x, blocks, window)) {
    x = in_blocks(convolve(images, first.weight, first.bias, window, {{}, true, true}));
    convolve_blocks(x, x, blocks, window);
    return x;
  }
  const at::Tensor weights =
      kept_weights(first.weight, {first.weight.numel(), kStemLayout}, [&](float* to) {
        const at::Tensor from = first.weight.permute({2, 3, 1, 0}).contiguous();
        std::copy_n(from.data_ptr<float>(), from.numel(), to);
      });
  const at::Tensor bias = first.bias.contiguous();
  const winograd::StemMemory memory{images.data_ptr<float>(), weights.data_ptr<float>(),
                                    bias.data_ptr<float>(), shape.in_channels};
  convolve_own_blocks(x, x, blocks, window, &memory);
  return x;
}

ConvolutionGradients convolve_backward(const at::Tensor& dy_in, const at::Tensor& x,
                                       const at::Tensor& weight_in, const Window& window,
                                       const std::array<bool, 3>& wanted, const at::Tensor& sum) {
  const at::Tensor weight = dense(weight_in), dy = in_order(dy_in);
  ConvolutionShape shape = shape_of(x, weight, wanted[2], window);
  const bool nothing = x.numel() == 0;
  ConvolutionGradients found;
  if (wanted[0]) {
    const Implementation& serves = implementation_for(shape, Pass::kBackwardData);
    shape.sum = sum.defined() && serves.adds_to_gradient(shape);
    found.x = shape.sum ? sum : at::empty_like(x);
    if (!nothing) {
      serves.convolve_backward_data(shape, {dy.data_ptr(), weight.data_ptr(), found.x.data_ptr()});
    }
    if (sum.defined() && !shape.sum) found.x = at::Tensor(sum).add_(found.x);
    shape.sum = false;
  }
  if (wanted[1] || wanted[2]) {
    found.weight = at::empty_like(weight);
    if (wanted[2]) found.bias = at::empty({shape.out_channels}, weight.options());
    if (nothing) {
      found.weight.zero_();
      if (wanted[2]) found.bias.zero_();
    } else {
      implementation_for(shape, Pass::kBackwardWeights)
          .convolve_backward_weights(shape, {x.data_ptr(), dy.data_ptr(), found.weight.data_ptr(),
                                             wanted[2] ? found.bias.data_ptr() : nullptr});
    }
  }
  return found;
}

at::Tensor empty_convolution(const at::Tensor& x, const at::Tensor& weight, const Window& window) {
  check(x, weight, {}, window);
  return empty_result(x.options(), shape_of(x, dense(weight), false, window));
}

void convolve_to(const at::Tensor& x, const at::Tensor& weight_given, const Window& window,
                 const at::Tensor& y) {
  if (y.numel() == 0) return;
  const at::Tensor weight = dense(weight_given);
  const ConvolutionShape shape = shape_of(x, weight, false, window);
  implementation_for(shape, Pass::kForward)
      .convolve(shape, {x.data_ptr(), weight.data_ptr(), nullptr, y.data_ptr()});
}

void convolve_backward_to(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight_given,
                          const Window& window, const at::Tensor& dx, bool sum) {
  if (dx.numel() == 0) return;
  const at::Tensor weight = dense(weight_given);
  ConvolutionShape shape = shape_of(x, weight, false, window);
  const Implementation& serves = implementation_for(shape, Pass::kBackwardData);
  shape.sum = sum && serves.adds_to_gradient(shape);
  const at::Tensor to = sum && !shape.sum ? at::empty_like(dx) : dx;
  serves.convolve_backward_data(shape, {dy.data_ptr(), weight.data_ptr(), to.data_ptr()});
  if (!to.is_same(dx)) at::Tensor(dx).add_(to);
}

std::optional<StreamedConvolution> StreamedConvolution::of(const at::Tensor& like_x,
                                                           const at::Tensor& weight_given,
                                                           const Window& window) {
  check(like_x, weight_given, {}, window);
  const at::Tensor weight = dense(weight_given);
  const ConvolutionShape shape = shape_of(like_x, weight, false, window);
  if (like_x.numel() == 0 || !winograd::suits_streamed(shape)) return {};
  return StreamedConvolution(shape, weight, like_x.options());
}

int64_t StreamedConvolution::parts() const { return winograd::parts(shape_); }

at::Tensor StreamedConvolution::empty_result() const {
  return lyceum::empty_result(options_, shape_);
}

void StreamedConvolution::forward(const at::Tensor& x, const at::Tensor& y,
                                  const AroundForward& around) const {
  winograd::convolve_streamed(
      shape_, {x.defined() ? x.data_ptr() : nullptr, weight_.data_ptr(), nullptr, y.data_ptr()},
      around);
}

at::Tensor StreamedConvolution::backward(const at::Tensor& x, const at::Tensor& dx, bool sum,
                                         const AroundBackward& around) const {
  ConvolutionShape shape = shape_;
  shape.sum = sum;
  const at::Tensor d_weight = at::empty_like(weight_);
  winograd::convolve_backward_streamed(shape,
                                       {x.defined() ? x.data_ptr() : nullptr, weight_.data_ptr(),
                                        dx.data_ptr(), d_weight.data_ptr()},
                                       around);
  return d_weight;
}

}  // namespace lyceum
