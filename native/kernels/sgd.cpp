// lyceum::sgd_: a step of stochastic gradient descent with momentum for a list of parameters, in
// one pass over memory,
//
//   d = g + decay · w
//   v = momentum · v + d
//   w = w - rate · v, or by Nesterov's rule w - rate · (d + momentum · v)
//
// on the CPU, float32, without gradient. A velocity of zeros becomes the first gradient. The same
// out of libtorch's operators is in src/optim/sgd/foreach-update.ts; tests hold the two together.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "kernels/isa.h"

namespace {

// Parameters with fewer values are not worth a second thread.
constexpr int64_t kLeastAtOnce = 1 << 15;

void check(const at::Tensor& tensor, const char* name, const at::Tensor& like) {
  TORCH_CHECK(tensor.is_cpu() && tensor.layout() == at::kStrided &&
                  tensor.scalar_type() == at::kFloat && tensor.sizes() == like.sizes(),
              "sgd_: ", name, " must be float32 on the CPU and of its parameter's shape ",
              like.sizes(), ", got ", tensor.scalar_type(), " ", tensor.sizes());
}

// Whether the values of both lie in the same places. The stride of a dimension of size one does not
// matter.
bool lie_alike(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t i = 0; i < a.dim(); i++) {
    if (a.size(i) > 1 && a.stride(i) != b.stride(i)) return false;
  }
  return true;
}

void sgd_(at::TensorList parameters, at::TensorList gradients, at::TensorList velocities,
          double rate, double momentum, double decay, bool nesterov) {
  TORCH_CHECK(gradients.size() == parameters.size() &&
                  velocities.size() == (momentum != 0 ? parameters.size() : 0),
              "sgd_: a gradient, and with momentum a velocity, for each of ", parameters.size(),
              " parameters, got ", gradients.size(), " and ", velocities.size());
  for (size_t i = 0; i < parameters.size(); i++) {
    const at::Tensor& parameter = parameters[i];
    check(parameter, "a parameter", parameter);
    check(gradients[i], "a gradient", parameter);
    TORCH_CHECK(parameter.is_non_overlapping_and_dense(),
                "sgd_: a parameter has gaps: ", parameter.sizes(), " of strides ",
                parameter.strides());
    TORCH_CHECK(!(at::GradMode::is_enabled() && parameter.requires_grad()),
                "sgd_ has no gradient: call it in noGrad");
    if (velocities.empty()) continue;
    check(velocities[i], "a velocity", parameter);
    TORCH_CHECK(lie_alike(velocities[i], parameter),
                "sgd_: a velocity must lie as its parameter, of strides ", parameter.strides(),
                ", got ", velocities[i].strides());
  }
  const lyceum::sgd::Rule rule{float(rate), float(momentum), float(decay), nesterov};
  for (size_t i = 0; i < parameters.size(); i++) {
    const at::Tensor& parameter = parameters[i];
    const at::Tensor gradient = lie_alike(gradients[i], parameter)
                                    ? gradients[i]
                                    : at::empty_like(parameter).copy_(gradients[i]);
    float* w = parameter.data_ptr<float>();
    const float* g = gradient.data_ptr<float>();
    float* v = velocities.empty() ? nullptr : velocities[i].data_ptr<float>();
    at::parallel_for(0, parameter.numel(), kLeastAtOnce, [&](int64_t begin, int64_t end) {
      lyceum::kernels().sgd.step(w + begin, g + begin, v ? v + begin : nullptr, end - begin, rule);
    });
    parameter.unsafeGetTensorImpl()->bump_version();
    if (v) velocities[i].unsafeGetTensorImpl()->bump_version();
  }
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "sgd_(Tensor(a!)[] self, Tensor[] gradients, Tensor(b!)[] velocities, float learning_rate, "
      "float momentum, "
      "float weight_decay, bool nesterov) -> ()");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("sgd_", sgd_); }
