// lyceum::batch_norm: batch norm with what usually follows it, a sum with a shortcut and ReLU.
// Differentiable (once).
//
// The same computation out of ATen operators is in src/nn/batch-norm2d.ts, for other devices and
// dtypes; tests hold the two together.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "optional.h"
#include "kernels/alias.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/channels.h"

namespace {

using lyceum::Norm;
using OptionalTensor = lyceum::Optional<at::Tensor>;
using torch::autograd::variable_list;

at::Tensor or_none(const OptionalTensor& tensor) {
  return tensor.has_value() ? *tensor : at::Tensor();
}

at::Tensor batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      const at::Tensor& running_mean, const at::Tensor& running_var,
                      const OptionalTensor& residual, bool relu, bool training, double momentum,
                      double eps) {
  return lyceum::normalise(x, {weight, bias, running_mean, running_var, momentum, eps},
                           or_none(residual), relu, training)
      .y;
}

class BatchNorm : public torch::autograd::Function<BatchNorm> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_given,
                            const at::Tensor& weight_given, const at::Tensor& bias_given,
                            const at::Tensor& running_mean, const at::Tensor& running_var,
                            const OptionalTensor& residual, bool relu, bool training,
                            double momentum, double eps) {
    const at::Tensor x = lyceum::alias_of(x_given), weight = lyceum::alias_of(weight_given);
    const at::Tensor bias = lyceum::alias_of(bias_given);
    at::AutoDispatchBelowADInplaceOrView below;
    const Norm norm{weight, bias, running_mean, running_var, momentum, eps};
    auto [y, mean, inverse] = lyceum::normalise(x, norm, or_none(residual), relu, training);
    const bool with_residual = residual.has_value() && residual->defined();
    context->save_for_backward({lyceum::in_order(x), relu && with_residual ? y : at::Tensor(),
                                weight, bias, mean, inverse});
    context->saved_data["with_residual"] = with_residual;
    context->saved_data["relu"] = relu;
    context->saved_data["training"] = training;
    return y;
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(),
        "batch_norm: the fused operator has no second derivative; float64, or memory that is not "
        "channels-last, takes ATen's, which has");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], dy = lyceum::in_order(gradients[0]);
    const lyceum::NormGradients found = lyceum::normalise_backward(
        dy, {x, saved[1], saved[2], saved[3], saved[4], saved[5],
             context->saved_data["with_residual"].toBool(), context->saved_data["relu"].toBool(),
             context->saved_data["training"].toBool()});
    const at::Tensor none;
    return {found.x, found.weight, found.bias, none, none, found.residual, none, none, none, none};
  }
};

at::Tensor batch_norm_autograd(const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias, const at::Tensor& running_mean,
                               const at::Tensor& running_var, const OptionalTensor& residual,
                               bool relu, bool training, double momentum, double eps) {
  return BatchNorm::apply(x, weight, bias, running_mean, running_var, residual, relu, training,
                          momentum, eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "batch_norm(Tensor x, Tensor weight, Tensor bias, Tensor(a!) running_mean, Tensor(b!) "
      "running_var, "
      "Tensor? residual, bool relu, bool training, float momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("batch_norm", batch_norm); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("batch_norm", batch_norm_autograd); }
