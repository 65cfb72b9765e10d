// lyceum::residual_stage: basic blocks of a residual network (He et al. 2016) in training, one
// after the other,
//
//   x = relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut)
//
// with 3x3 convolutions, in blocks of channels (kernels/channels.h), float32, differentiable
// (once). The first block may have a stride, other channels than x, and a shortcut that is given;
// else it takes option A's where the shape changes (kernels/option_a_shortcut.h). The others add x
// as it is. Where the kernels can (StreamedConvolution), a few images at a time go through several
// layers while they are in a core's own cache:
//
//   forward    the previous block's norm2 and sum, conv1, its moments
//              | norm1, conv2, its moments
//   backward   norm2's gradient, conv2's, norm1's sums
//              | norm1's gradient, conv1's, the sums of the previous block's norm2
//
// where a bar is a statistic of the whole batch, which what follows has to wait for. What lies
// between conv2 and norm1 is worked out again backward rather than kept.
//
// The same out of separate layers is in src/nn; tests hold the two together.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/alias.h"
#include "kernels/convolution/residual/training.h"
#include "optional.h"

namespace {

using lyceum::residual::kAverages;
using lyceum::residual::kParameters;
using lyceum::residual::Saved;
using lyceum::residual::Stage;
using OptionalTensor = lyceum::Optional<at::Tensor>;
using torch::autograd::variable_list;

at::Tensor residual_stage(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                          const OptionalTensor& shortcut, int64_t stride, bool allow_winograd,
                          double momentum, double eps) {
  const Stage stage{parameters, averages, {stride, stride}, allow_winograd, momentum, eps};
  return lyceum::residual::forward(x, stage, shortcut.has_value() ? *shortcut : at::Tensor())
      .back()
      .y2;
}

class ResidualStage : public torch::autograd::Function<ResidualStage> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_given,
                            at::TensorList parameters_given, at::TensorList averages,
                            const OptionalTensor& shortcut, int64_t stride, bool allow_winograd,
                            double momentum, double eps) {
    const at::Tensor x_alias = lyceum::alias_of(x_given);
    const variable_list parameters = lyceum::aliases_of(parameters_given);
    at::AutoDispatchBelowADInplaceOrView below;
    const Stage stage{parameters, averages, {stride, stride}, allow_winograd, momentum, eps};
    const at::Tensor x = x_alias.contiguous(),
                     given = shortcut.has_value() ? *shortcut : at::Tensor();
    const auto all = lyceum::residual::forward(x, stage, given);
    variable_list saved{x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    for (const auto& [first, second, z1, y1, z2, _, y2] : all) {
      saved.insert(saved.end(),
                   {z1, y1, z2, y2, first.mean, first.inverse, second.mean, second.inverse});
    }
    context->save_for_backward(std::move(saved));
    context->saved_data["stride"] = stride;
    context->saved_data["allow_winograd"] = allow_winograd;
    context->saved_data["given"] = given.defined();
    return all.back().y2;
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(),
        "residual_stage: has no second derivative; float64 takes separate layers, which have");
    const variable_list saved = context->get_saved_variables();
    const size_t count = (saved.size() - 1) / (kParameters + Saved::kTensors);
    const int64_t stride = context->saved_data["stride"].toInt();
    const at::TensorList tensors = at::TensorList(saved).slice(1),
                         parameters = tensors.slice(0, kParameters * count);
    const Stage stage{
        parameters, {}, {stride, stride}, context->saved_data["allow_winograd"].toBool(), 0, 0};
    std::vector<bool> weights1_wanted(count);
    for (size_t i = 0; i < count; i++)
      weights1_wanted[i] = context->needs_input_grad(1 + kParameters * i);
    const auto found = lyceum::residual::backward(
        gradients[0], saved[0], stage, tensors.slice(parameters.size()),
        context->saved_data["given"].toBool(), context->needs_input_grad(0), weights1_wanted);
    // The gradients of all inputs in their order; averages, stride and what follows have none.
    variable_list all(1 + (kParameters + kAverages) * count + 5);
    all[0] = found.x;
    std::copy(found.parameters.begin(), found.parameters.end(), all.begin() + 1);
    all[1 + (kParameters + kAverages) * count] = found.shortcut;
    return all;
  }
};

at::Tensor residual_stage_autograd(const at::Tensor& x, at::TensorList parameters,
                                   at::TensorList averages, const OptionalTensor& shortcut,
                                   int64_t stride, bool allow_winograd, double momentum,
                                   double eps) {
  return ResidualStage::apply(x, parameters, averages, shortcut, stride, allow_winograd, momentum,
                              eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "residual_stage(Tensor x, Tensor[] parameters, Tensor(a!)[] averages, Tensor? shortcut, int "
      "stride, bool allow_winograd, "
      "float momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("residual_stage", residual_stage); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("residual_stage", residual_stage_autograd); }
