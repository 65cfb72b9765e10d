// What only CUDA's own library can tell of a card. Compiled where libtorch has CUDA and its headers
// are.
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include "bridge/cuda.h"
#include "bridge/values.h"

namespace lyceum {
namespace {

void set(napi_env env, napi_value object, const char* key, napi_value value) {
  check(env, napi_set_named_property(env, object, key, value));
}

// cudaDevice(device): its name and its memory in bytes.
napi_value describeDevice(const Call& call) {
  const c10::Device device = cudaDeviceOf(toString(call.env, call[0]));
  const c10::cuda::CUDAGuard guard(device);
  cudaDeviceProp properties;
  size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device.index()));
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  napi_value object;
  check(call.env, napi_create_object(call.env, &object));
  set(call.env, object, "name", text(call.env, properties.name));
  set(call.env, object, "free", integer(call.env, static_cast<int64_t>(free)));
  set(call.env, object, "total", integer(call.env, static_cast<int64_t>(total)));
  return object;
}

// cudaSynchronize(device): waits until it has done all that it was given.
napi_value synchronize(const Call& call) {
  const c10::cuda::CUDAGuard guard(cudaDeviceOf(toString(call.env, call[0])));
  c10::cuda::device_synchronize();
  return nullptr;
}

}  // namespace

c10::Device cudaDeviceOf(const std::string& name) {
  const c10::Device device = deviceOf(name);
  if (!device.is_cuda()) throw BadArgument("\"" + name + "\" is no CUDA device");
  // libtorch sets CUDA up when the first tensor is made there, and not before.
  at::empty({1}, at::TensorOptions().device(device));
  // "cuda" is the current one.
  return device.has_index() ? device
                            : c10::Device(c10::DeviceType::CUDA, c10::cuda::current_device());
}

void exposeCuda(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "cudaDevice", describeDevice);
  expose(env, exports, bridge, "cudaSynchronize", synchronize);
  exposeCudaGraphs(env, exports, bridge);
}

}  // namespace lyceum
