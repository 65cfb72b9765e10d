// lyceum::bottleneck_stage: bottlenecks of a residual network (He et al. 2016) in training, one
// after the other,
//
//   x = relu(norm3(conv3(relu(norm2(conv2(relu(norm1(conv1(x))))))) + shortcut)
//
// with conv1 and conv3 1x1 and conv2 3x3, in blocks of channels (kernels/channels.h), float32,
// differentiable (once). The first block may have a stride, in conv2, and a shortcut that is given;
// the others add x as it is. 1x1 convolutions compute little for each number that they read and
// write, and batch norm next to nothing, so that memory bounds them. A few images at a time go
// through several steps while they are in the caches, and gradients are added where they lie:
//
//   forward    the previous block's norm3, sum and ReLU, conv1, its moments
//              | norm1 | conv2, its moments | norm2, conv3, its moments
//   backward   norm3's gradient, conv3's, norm2's sums | norm2's gradient, conv2's, norm1's sums
//              | norm1's gradient, conv1's, the sums of the previous block's norm3
//
// The same out of separate layers is in src/nn; tests hold the two together.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/alias.h"
#include "kernels/convolution/bottleneck/training.h"
#include "optional.h"

namespace {

using lyceum::bottleneck::kAverages;
using lyceum::bottleneck::kLayers;
using lyceum::bottleneck::kParameters;
using lyceum::bottleneck::Saved;
using lyceum::bottleneck::Stage;
using OptionalTensor = lyceum::Optional<at::Tensor>;
using torch::autograd::variable_list;

at::Tensor bottleneck_stage(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                            const OptionalTensor& shortcut, int64_t stride, bool allow_winograd,
                            double momentum, double eps) {
  const Stage stage{parameters, averages, {stride, stride}, allow_winograd, momentum, eps};
  return lyceum::bottleneck::forward(x, stage, shortcut.has_value() ? *shortcut : at::Tensor())
      .back()
      .y[kLayers - 1];
}

class BottleneckStage : public torch::autograd::Function<BottleneckStage> {
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
    const auto all = lyceum::bottleneck::forward(x, stage, given);
    variable_list saved{x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    for (const Saved& block : all) {
      for (const auto* tensors : {&block.z, &block.y, &block.mean, &block.inverse}) {
        saved.insert(saved.end(), std::begin(*tensors), std::end(*tensors));
      }
    }
    context->save_for_backward(std::move(saved));
    context->saved_data["stride"] = stride;
    context->saved_data["allow_winograd"] = allow_winograd;
    context->saved_data["given"] = given.defined();
    return all.back().y[kLayers - 1];
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(),
        "bottleneck_stage: has no second derivative; float64 takes separate layers, which have");
    const variable_list tensors = context->get_saved_variables();
    const size_t count = (tensors.size() - 1) / (kParameters + Saved::kTensors);
    const int64_t stride = context->saved_data["stride"].toInt();
    const at::TensorList parameters = at::TensorList(tensors).slice(1, kParameters * count);
    const Stage stage{
        parameters, {}, {stride, stride}, context->saved_data["allow_winograd"].toBool(), 0, 0};
    std::vector<Saved> saved(count);
    const at::Tensor* next = tensors.data() + 1 + parameters.size();
    for (Saved& block : saved) {
      for (auto* to : {&block.z, &block.y, &block.mean, &block.inverse}) {
        std::copy_n(next, kLayers, std::begin(*to));
        next += kLayers;
      }
    }
    const auto found = lyceum::bottleneck::backward(gradients[0], tensors[0], stage, saved,
                                                    context->saved_data["given"].toBool(),
                                                    context->needs_input_grad(0));
    // The gradients of all inputs in their order; averages, stride and what follows have none.
    variable_list all(1 + (kParameters + kAverages) * count + 5);
    all[0] = found.x;
    std::copy(found.parameters.begin(), found.parameters.end(), all.begin() + 1);
    all[1 + (kParameters + kAverages) * count] = found.shortcut;
    return all;
  }
};

at::Tensor bottleneck_stage_autograd(const at::Tensor& x, at::TensorList parameters,
                                     at::TensorList averages, const OptionalTensor& shortcut,
                                     int64_t stride, bool allow_winograd, double momentum,
                                     double eps) {
  return BottleneckStage::apply(x, parameters, averages, shortcut, stride, allow_winograd, momentum,
                                eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "bottleneck_stage(Tensor x, Tensor[] parameters, Tensor(a!)[] averages, Tensor? shortcut, "
      "int stride, bool allow_winograd, float momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("bottleneck_stage", bottleneck_stage); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) {
  m.impl("bottleneck_stage", bottleneck_stage_autograd);
}
