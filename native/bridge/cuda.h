// The parts of the bridge that are compiled only where libtorch has CUDA.
#pragma once

#include "bridge/bridge.h"

namespace lyceum {

// The device always has an index. Throws for what is no CUDA device.
c10::Device cudaDeviceOf(const std::string& name);

void exposeCuda(napi_env env, napi_value exports, Bridge* bridge);
void exposeCudaGraphs(napi_env env, napi_value exports, Bridge* bridge);

}  // namespace lyceum
