// lyceum::conv2d: convolution by Lyceum's Winograd kernels where they serve and by oneDNN's prepared primitives
// elsewhere, differentiable (once), in channels-last or blocked memory (see kernels/channels.h), float32 or bfloat16.
//
// Compiled where oneDNN's headers are; src/nn/conv2d.ts takes ATen's convolution elsewhere, and tests compare the two.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>
#include <torch/torch.h>

#include "kernels/channels.h"
#include "kernels/convolution/onednn.h"
#include "kernels/convolution/winograd.h"

namespace {

using lyceum::ConvolutionShape;
namespace onednn = lyceum::onednn;
namespace winograd = lyceum::winograd;
using OptionalTensor = c10::optional<at::Tensor>;
using torch::autograd::variable_list;

void check(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
           at::IntArrayRef padding) {
  const bool blocked = x.dim() == 5;
  TORCH_CHECK(x.is_cpu() && x.layout() == at::kStrided &&
                  (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
                  (x.dim() == 4 || lyceum::is_blocked(x)),
              "conv2d: x must be float32 or bfloat16, [N, C, H, W] or [N, C / 16, H, W, 16], on the CPU, got ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(weight.is_cpu() && weight.layout() == at::kStrided && weight.scalar_type() == at::kFloat &&
                  weight.dim() == 4 && weight.size(1) == lyceum::channels_of(x) && weight.numel() > 0 &&
                  (!blocked || weight.size(0) % lyceum::kLanes == 0),
              "conv2d: weight must be float32 [K, ", lyceum::channels_of(x), ", h, w] on the CPU",
              blocked ? ", K a multiple of 16" : "", ", got ", weight.scalar_type(), " ", weight.sizes());
  TORCH_CHECK(!bias.has_value() || !bias->defined() ||
                  (bias->is_cpu() && bias->layout() == at::kStrided && bias->scalar_type() == at::kFloat &&
                   bias->sizes() == at::IntArrayRef({weight.size(0)})),
              "conv2d: bias must be float32 [", weight.size(0), "] on the CPU, got ", bias->scalar_type(), " ",
              bias->sizes());
  TORCH_CHECK(stride.size() == 2 && padding.size() == 2, "conv2d: stride and padding must be two numbers each");
  for (int i = 0; i < 2; i++) {
    const int64_t size = x.size(2 + i), window = weight.size(2 + i);
    TORCH_CHECK(stride[i] >= 1 && stride[i] <= (1 << 16) && padding[i] >= 0 && padding[i] < window,
                "conv2d: stride must be 1 or more and padding less than the window, got ", stride, " and ",
                padding, " for a window of [", weight.size(2), ", ", weight.size(3), "]");
    TORCH_CHECK(size >= 1 && size + 2 * padding[i] >= window, "conv2d: a window of [", weight.size(2), ", ",
                weight.size(3), "] does not fit into ", x.sizes(), " with padding ", padding);
    // oneDNN counts in 32 bits in places.
    TORCH_CHECK(size < (1 << 24) && window < (1 << 12), "conv2d: too large: ", x.sizes(), ", ", weight.sizes());
  }
}

// Weights as oneDNN can read them: in either of the two usual orders.
at::Tensor dense(const at::Tensor& weight) {
  return weight.is_contiguous() || weight.is_contiguous(at::MemoryFormat::ChannelsLast) ? weight : weight.contiguous();
}

ConvolutionShape shape_of(const at::Tensor& x, const at::Tensor& weight, bool bias, at::IntArrayRef stride,
                          at::IntArrayRef padding, bool coarse) {
  ConvolutionShape s{};
  s.batch = x.size(0);
  s.in_channels = lyceum::channels_of(x);
  s.height = x.size(2);
  s.width = x.size(3);
  s.out_channels = weight.size(0);
  s.kernel_height = weight.size(2);
  s.kernel_width = weight.size(3);
  s.stride_height = stride[0];
  s.stride_width = stride[1];
  s.pad_height = padding[0];
  s.pad_width = padding[1];
  s.blocked = lyceum::is_blocked(x);
  s.bfloat16 = x.scalar_type() == at::kBFloat16;
  s.coarse = coarse;
  s.bias = bias;
  s.weights_last = !weight.is_contiguous();
  s.threads = at::get_num_threads();
  return s;
}

at::Tensor empty_result(const at::Tensor& x, const ConvolutionShape& s) {
  if (s.blocked) {
    return at::empty({s.batch, s.out_channels / lyceum::kLanes, s.out_height(), s.out_width(), lyceum::kLanes},
                     x.options());
  }
  return at::empty({s.batch, s.out_channels, s.out_height(), s.out_width()}, x.options(),
                   at::MemoryFormat::ChannelsLast);
}

// What comes after the convolution, in the same pass over memory.
struct After {
  // Where the sum goes, laid out as the result is.
  at::Tensor sum;
  bool relu = false;
};

at::Tensor convolve(const at::Tensor& x_in, const at::Tensor& weight_in, const OptionalTensor& bias_in,
                    at::IntArrayRef stride, at::IntArrayRef padding, bool coarse, const After& after = {}) {
  check(x_in, weight_in, bias_in, stride, padding);
  const at::Tensor x = lyceum::in_order(x_in), weight = dense(weight_in);
  const at::Tensor bias = bias_in.has_value() && bias_in->defined() ? bias_in->contiguous() : at::Tensor();
  ConvolutionShape shape = shape_of(x, weight, bias.defined(), stride, padding, coarse);
  shape.sum = after.sum.defined();
  shape.relu = after.relu;
  at::Tensor y = empty_result(x, shape);
  if (shape.sum) {
    TORCH_CHECK(after.sum.is_cpu() && after.sum.layout() == at::kStrided &&
                    after.sum.scalar_type() == x.scalar_type() && after.sum.sizes() == y.sizes() &&
                    after.sum.is_contiguous(lyceum::order_of(x)),
                "conv2d: what is added to must be as the result, ", y.scalar_type(), " ", y.sizes(),
                " in the same order of memory, got ", after.sum.scalar_type(), " ", after.sum.sizes(), " of strides ",
                after.sum.strides());
    y = after.sum;
  }
  if (y.numel() == 0) return y;
  const auto run = winograd::suits(shape) ? winograd::convolve : onednn::convolve;
  run(shape, {x.data_ptr(), weight.data_ptr(), bias.defined() ? bias.data_ptr() : nullptr, y.data_ptr()});
  return y;
}

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                  at::IntArrayRef padding, bool coarse) {
  return convolve(x, weight, bias, stride, padding, coarse);
}

at::Tensor conv2d_relu(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                       at::IntArrayRef stride, at::IntArrayRef padding, bool coarse) {
  return convolve(x, weight, bias, stride, padding, coarse, {{}, true});
}

at::Tensor& add_conv2d_(at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                        at::IntArrayRef stride, at::IntArrayRef padding, bool coarse, bool relu) {
  TORCH_CHECK(!sum.is_alias_of(x) && !sum.is_alias_of(weight),
              "add_conv2d_: what is added to must not be what is convolved");
  convolve(x, weight, bias, stride, padding, coarse, {sum, relu});
  return sum;
}

class Convolution : public torch::autograd::Function<Convolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                            at::IntArrayRef padding, bool coarse) {
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor ordered = x.dim() == 4 || lyceum::is_blocked(x) ? lyceum::in_order(x) : x;
    at::Tensor y = conv2d(ordered, weight, bias, stride, padding, coarse);
    context->save_for_backward({ordered, weight});
    context->saved_data["bias"] = bias.has_value() && bias->defined();
    context->saved_data["stride"] = stride.vec();
    context->saved_data["padding"] = padding.vec();
    context->saved_data["coarse"] = coarse;
    return y;
  }

  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "conv2d: the prepared convolution has no second derivative; float64 takes ATen's, which has");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], weight = dense(saved[1]), dy = lyceum::in_order(gradients[0]);
    const bool with_bias = context->saved_data["bias"].toBool();
    const ConvolutionShape shape =
        shape_of(x, weight, with_bias, context->saved_data["stride"].toIntVector(),
                 context->saved_data["padding"].toIntVector(), context->saved_data["coarse"].toBool());
    const bool own = winograd::suits(shape);
    at::Tensor dx, d_weight, d_bias;
    if (context->needs_input_grad(0)) {
      dx = at::empty_like(x);
      if (x.numel() > 0) {
        const auto run = own ? winograd::convolve_backward_data : onednn::convolve_backward_data;
        run(shape, {dy.data_ptr(), weight.data_ptr(), dx.data_ptr()});
      }
    }
    if (context->needs_input_grad(1) || (with_bias && context->needs_input_grad(2))) {
      d_weight = at::empty_like(weight);
      if (with_bias) d_bias = at::empty({shape.out_channels}, weight.options());
      if (x.numel() > 0) {
        const auto run = own && !with_bias ? winograd::convolve_backward_weights : onednn::convolve_backward_weights;
        run(shape, {x.data_ptr(), dy.data_ptr(), d_weight.data_ptr(), with_bias ? d_bias.data_ptr() : nullptr});
      } else {
        d_weight.zero_();
        if (with_bias) d_bias.zero_();
      }
    }
    const at::Tensor none;
    return {dx, d_weight, d_bias, none, none, none};
  }
};

at::Tensor conv2d_autograd(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                           at::IntArrayRef stride, at::IntArrayRef padding, bool coarse) {
  return Convolution::apply(x, weight, bias, stride, padding, coarse);
}

void check_frozen(std::initializer_list<at::Tensor> inputs) {
  for (const at::Tensor& input : inputs) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input.defined() && input.requires_grad()),
                "conv2d of frozen networks has no gradient: call it in noGrad, or lyceum::conv2d");
  }
}

at::Tensor conv2d_relu_autograd(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                                at::IntArrayRef stride, at::IntArrayRef padding, bool coarse) {
  check_frozen({x, weight, bias.has_value() ? *bias : at::Tensor()});
  at::AutoDispatchBelowADInplaceOrView below;
  return conv2d_relu(x, weight, bias, stride, padding, coarse);
}

at::Tensor& add_conv2d_autograd(at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight,
                                const OptionalTensor& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                                bool coarse, bool relu) {
  check_frozen({sum, x, weight, bias.has_value() ? *bias : at::Tensor()});
  at::AutoDispatchBelowADInplaceOrView below;
  add_conv2d_(sum, x, weight, bias, stride, padding, coarse, relu);
  sum.unsafeGetTensorImpl()->bump_version();
  return sum;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def("has_avx512() -> bool", lyceum::onednn::has_avx512);
  m.def("has_amx() -> bool", lyceum::onednn::has_amx);
  m.def(
      "conv2d(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, bool coarse) -> Tensor");
  // Of frozen networks: without gradients.
  m.def(
      "conv2d_relu(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, bool coarse) -> Tensor");
  m.def(
      "add_conv2d_(Tensor(a!) self, Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, "
      "bool coarse, bool relu) -> Tensor(a!)");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) {
  m.impl("conv2d", conv2d);
  m.impl("conv2d_relu", conv2d_relu);
  m.impl("add_conv2d_", add_conv2d_);
}

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) {
  m.impl("conv2d", conv2d_autograd);
  m.impl("conv2d_relu", conv2d_relu_autograd);
  m.impl("add_conv2d_", add_conv2d_autograd);
}
