// Gradients: what the dispatcher records by itself, and the few calls that steer it.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "bridge/values.h"

namespace lyceum {
namespace {

at::Tensor self(const Call& call) { return call.bridge.tensor(toInt(call.env, call[0])); }

napi_value requiresGrad(const Call& call) { return boolean(call.env, self(call).requires_grad()); }

napi_value setRequiresGrad(const Call& call) {
  self(call).set_requires_grad(toBool(call.env, call[1]));
  return nullptr;
}

// grad(handle): the gradient's handle, 0 when there is none.
napi_value grad(const Call& call) { return integer(call.env, call.bridge.hold(self(call).grad())); }

// setGrad(handle, gradient): 0 clears it.
napi_value setGrad(const Call& call) {
  const at::Tensor tensor = self(call);
  const int64_t handle = toInt(call.env, call[1]);
  if (handle == 0) {
    tensor.mutable_grad() = at::Tensor();
    return nullptr;
  }
  const at::Tensor gradient = call.bridge.tensor(handle);
  if (!gradient.sizes().equals(tensor.sizes()) || gradient.scalar_type() != tensor.scalar_type() ||
      gradient.device() != tensor.device()) {
    throw BadArgument("the gradient is " + describe(gradient) + ", its tensor " + describe(tensor));
  }
  tensor.mutable_grad() = gradient;
  return nullptr;
}

std::vector<at::Tensor> gradients(const Call& call, napi_value value, size_t outputs) {
  auto given = toTensors(call.bridge, value);
  given.resize(outputs);
  return given;
}

// backward(outputs, gradients, retainGraph)
napi_value backward(const Call& call) {
  const auto outputs = toTensors(call.bridge, call[0]);
  torch::autograd::backward(outputs, gradients(call, call[1], outputs.size()),
                            toBool(call.env, call[2]));
  return nullptr;
}

// gradient(outputs, inputs, gradients, retainGraph, createGraph): handles, 0 for an input without
// influence.
napi_value gradient(const Call& call) {
  const auto outputs = toTensors(call.bridge, call[0]);
  const auto inputs = toTensors(call.bridge, call[1]);
  return handles(call.bridge,
                 torch::autograd::grad(outputs, inputs, gradients(call, call[2], outputs.size()),
                                       toBool(call.env, call[3]), toBool(call.env, call[4]),
                                       /*allow_unused=*/true));
}

// setGradMode(on): the mode before.
napi_value setGradMode(const Call& call) {
  const bool on = toBool(call.env, call[0]);
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(on);
  return boolean(call.env, before);
}

napi_value enterInference(const Call& call) {
  call.bridge.inference.push_back(std::make_unique<c10::InferenceMode>());
  return nullptr;
}

napi_value leaveInference(const Call& call) {
  if (call.bridge.inference.empty()) throw BadArgument("inference mode was not entered");
  call.bridge.inference.pop_back();
  return nullptr;
}

}  // namespace

void exposeAutograd(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "requiresGrad", requiresGrad);
  expose(env, exports, bridge, "setRequiresGrad", setRequiresGrad);
  expose(env, exports, bridge, "grad", grad);
  expose(env, exports, bridge, "setGrad", setGrad);
  expose(env, exports, bridge, "backward", backward);
  expose(env, exports, bridge, "gradient", gradient);
  expose(env, exports, bridge, "setGradMode", setGradMode);
  expose(env, exports, bridge, "enterInference", enterInference);
  expose(env, exports, bridge, "leaveInference", leaveInference);
}

}  // namespace lyceum
