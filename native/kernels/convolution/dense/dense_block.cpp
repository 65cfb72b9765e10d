// lyceum::dense_block: a block of a DenseNet-BC (Huang et al. 2017) in training,
//
//   x = cat(x, conv3x3(relu(norm2(conv1x1(relu(norm1(x)))))))
//
// layer after layer; float32, channels-last, differentiable (once). Where windows are given, what
// comes after the block goes with it: the averages of relu(norm(x)) over each window. Inside,
// channels lie in lanes (shape.h), [blocks][images][pixels][16], where a layer writes beside what
// is there, and every later layer reads it:
//
//   forward    norm1, conv1x1, its moments | norm2, conv3x3, its moments
//   backward   conv3x3's gradient, norm2's sums | norm2's gradient, conv1x1's, norm1's sums
//
// where a bar is a statistic of the whole batch, which what follows has to wait for. What lies
// between norm1 and conv1x1, and between norm2 and conv3x3, is worked out again backward rather
// than kept.
//
// The mean and variance of a channel are the same for all layers that normalise it, and so are
// found once. Each of their norm1 gives it the gradient scale · g - along · (x - mean) - level,
// where the last two follow from sums of g over the batch: the first part is added up layer by
// layer, the others at the end, so that none has to wait for its own sums.
//
// The same out of separate layers is in src/nn/dense-layer.ts; tests hold the two together.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>

#include "kernels/alias.h"
#include "kernels/convolution/dense/training.h"

namespace {

using lyceum::dense::Kept;
using lyceum::dense::kParameters;
using torch::autograd::variable_list;

at::Tensor dense_block(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                       at::IntArrayRef window, double momentum, double eps) {
  return lyceum::dense::forward(x, parameters, averages, window, momentum, eps).y;
}

class DenseBlock : public torch::autograd::Function<DenseBlock> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            at::TensorList parameters_given, at::TensorList averages,
                            at::IntArrayRef window, double momentum, double eps) {
    const variable_list parameters = lyceum::aliases_of(parameters_given);
    at::AutoDispatchBelowADInplaceOrView below;
    const auto found = lyceum::dense::forward(x, parameters, averages, window, momentum, eps);
    const auto lanes_of = [&](const std::vector<double>& values) {
      const std::vector<float> floats(values.begin(), values.end());
      const std::vector<float> lanes = lyceum::in_lanes(found.shape.lanes, floats.data());
      return at::tensor(lanes);
    };
    std::vector<double> inverse;
    for (const double variance : found.statistics.variance)
      inverse.push_back(1 / std::sqrt(variance + eps));
    variable_list saved{found.grown, lanes_of(found.statistics.mean), lanes_of(inverse)};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    for (const Kept& layer : found.layers)
      saved.insert(saved.end(), {layer.z, layer.mean, layer.inverse});
    context->save_for_backward(std::move(saved));
    context->saved_data["parameters"] = int64_t(parameters.size());
    context->saved_data["averages"] = int64_t(averages.size());
    context->saved_data["channels"] = found.shape.in_channels;
    context->saved_data["height"] = found.shape.height;
    context->saved_data["width"] = found.shape.width;
    context->saved_data["window"] = window.vec();
    return found.y;
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "dense_block: has no second derivative; float64 takes separate layers, which have");
    const variable_list saved = context->get_saved_variables();
    const auto number = [&](const char* name) { return context->saved_data[name].toInt(); };
    const at::TensorList tensors = at::TensorList(saved).slice(3);
    const at::TensorList parameters = tensors.slice(0, number("parameters")),
                         kept = tensors.slice(parameters.size());
    const at::Tensor& wide = parameters[5];
    lyceum::DenseShape shape(number("channels"), wide.size(1), wide.size(0), number("height"),
                             number("width"));
    for (size_t i = 0; i < kept.size() / Kept::kTensors; i++) shape.lanes.push_back(shape.growth);
    variable_list found =
        lyceum::dense::backward(gradients[0],
                                {shape, saved[0], saved[1], saved[2], parameters, kept,
                                 context->saved_data["window"].toIntVector()},
                                context->needs_input_grad(0));
    // Averages, window, momentum and eps have none.
    found.resize(found.size() + number("averages") + 3);
    return found;
  }
};

at::Tensor dense_block_autograd(const at::Tensor& x, at::TensorList parameters,
                                at::TensorList averages, at::IntArrayRef window, double momentum,
                                double eps) {
  return DenseBlock::apply(x, parameters, averages, window, momentum, eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "dense_block(Tensor x, Tensor[] parameters, Tensor(a!)[] averages, int[] window, float "
      "momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("dense_block", dense_block); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("dense_block", dense_block_autograd); }
