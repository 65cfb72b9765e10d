// lyceum::conv2d: convolution by whichever implementation serves (implementations.h),
// differentiable (once), in channels-last or blocked memory (kernels/channels.h), float32 or
// bfloat16. src/nn/conv2d.ts takes ATen's convolution elsewhere, and tests compare the two. The
// operators for frozen networks, conv2d_relu and add_conv2d_, have no gradient.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "optional.h"
#include "kernels/alias.h"
#include "kernels/channels.h"
#include "kernels/convolution/bfloat16.h"
#include "kernels/convolution/convolution.h"
#include "kernels/isa.h"

namespace {

using OptionalTensor = lyceum::Optional<at::Tensor>;
using torch::autograd::variable_list;

at::Tensor or_none(const OptionalTensor& tensor) {
  return tensor.has_value() ? *tensor : at::Tensor();
}

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                  at::IntArrayRef stride, at::IntArrayRef padding, bool allow_winograd) {
  return lyceum::convolve(x, weight, or_none(bias), {stride, padding, allow_winograd});
}

at::Tensor conv2d_relu(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                       at::IntArrayRef stride, at::IntArrayRef padding, bool allow_winograd) {
  return lyceum::convolve(x, weight, or_none(bias), {stride, padding, allow_winograd},
                          {{}, true, true});
}

at::Tensor& add_conv2d_(at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight,
                        const OptionalTensor& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                        bool allow_winograd, bool relu) {
  TORCH_CHECK(!sum.is_alias_of(x) && !sum.is_alias_of(weight),
              "add_conv2d_: what is added to must not be what is convolved");
  lyceum::convolve(x, weight, or_none(bias), {stride, padding, allow_winograd}, {sum, relu, true});
  sum.unsafeGetTensorImpl()->bump_version();
  return sum;
}

class Convolution : public torch::autograd::Function<Convolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_given,
                            const at::Tensor& weight_given, const OptionalTensor& bias,
                            at::IntArrayRef stride, at::IntArrayRef padding, bool allow_winograd) {
    const at::Tensor x = lyceum::alias_of(x_given), weight = lyceum::alias_of(weight_given);
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor ordered = x.dim() == 4 || lyceum::is_blocked(x) ? lyceum::in_order(x) : x;
    at::Tensor y = conv2d(ordered, weight, bias, stride, padding, allow_winograd);
    context->save_for_backward({ordered, weight});
    context->saved_data["bias"] = bias.has_value() && bias->defined();
    context->saved_data["stride"] = stride.vec();
    context->saved_data["padding"] = padding.vec();
    context->saved_data["allow_winograd"] = allow_winograd;
    return y;
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "conv2d: the prepared convolution has no second derivative; float64 takes ATen's, "
                "which has");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const bool with_bias = context->saved_data["bias"].toBool();
    const auto stride = context->saved_data["stride"].toIntVector();
    const auto padding = context->saved_data["padding"].toIntVector();
    const bool of_bias = with_bias && context->needs_input_grad(2);
    const auto found = lyceum::convolve_backward(
        gradients[0], x, saved[1],
        {stride, padding, context->saved_data["allow_winograd"].toBool()},
        {context->needs_input_grad(0), context->needs_input_grad(1), of_bias});
    const at::Tensor none;
    return {found.x, found.weight, found.bias, none, none, none};
  }
};

at::Tensor conv2d_autograd(const at::Tensor& x, const at::Tensor& weight,
                           const OptionalTensor& bias, at::IntArrayRef stride,
                           at::IntArrayRef padding, bool allow_winograd) {
  return Convolution::apply(x, weight, bias, stride, padding, allow_winograd);
}

void check_frozen(std::initializer_list<at::Tensor> inputs) {
  for (const at::Tensor& input : inputs) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input.defined() && input.requires_grad()),
                "conv2d of frozen networks has no gradient: call it in noGrad, or lyceum::conv2d");
  }
}

at::Tensor conv2d_relu_autograd(const at::Tensor& x, const at::Tensor& weight,
                                const OptionalTensor& bias, at::IntArrayRef stride,
                                at::IntArrayRef padding, bool allow_winograd) {
  check_frozen({x, weight, bias.has_value() ? *bias : at::Tensor()});
  at::AutoDispatchBelowADInplaceOrView below;
  return conv2d_relu(x, weight, bias, stride, padding, allow_winograd);
}

at::Tensor& add_conv2d_autograd(at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight,
                                const OptionalTensor& bias, at::IntArrayRef stride,
                                at::IntArrayRef padding, bool allow_winograd, bool relu) {
  check_frozen({sum, x, weight, bias.has_value() ? *bias : at::Tensor()});
  at::AutoDispatchBelowADInplaceOrView below;
  return add_conv2d_(sum, x, weight, bias, stride, padding, allow_winograd, relu);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def("isa() -> str", [] { return std::string(lyceum::name_of(lyceum::isa())); });
  m.def("has_onednn() -> bool", lyceum::has_onednn);
  m.def("has_avx512() -> bool", lyceum::has_avx512);
  m.def("has_amx() -> bool", lyceum::has_amx);
  m.def(
      "conv2d(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, bool "
      "allow_winograd) -> Tensor");
  // The operators of frozen networks have no gradients.
  m.def(
      "conv2d_relu(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, bool "
      "allow_winograd) -> Tensor");
  m.def(
      "add_conv2d_(Tensor(a!) self, Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] "
      "padding, "
      "bool allow_winograd, bool relu) -> Tensor(a!)");
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
