// The library itself: its version, threads, devices and allocator.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "bridge/small_blocks.h"
#include "bridge/values.h"

namespace lyceum {
namespace {

napi_value version(const Call& call) { return text(call.env, TORCH_VERSION); }
napi_value buildSettings(const Call& call) { return text(call.env, at::show_config()); }
napi_value cudaAvailable(const Call& call) { return boolean(call.env, at::hasCUDA()); }
// setCudnn(benchmark, deterministic, allowTF32): how cuDNN chooses its convolutions, and in how
// many bits they multiply.
napi_value setCudnn(const Call& call) {
  at::globalContext().setBenchmarkCuDNN(toBool(call.env, call[0]));
  at::globalContext().setDeterministicCuDNN(toBool(call.env, call[1]));
  at::globalContext().setAllowTF32CuDNN(toBool(call.env, call[2]));
  return nullptr;
}

napi_value numThreads(const Call& call) { return integer(call.env, at::get_num_threads()); }

napi_value setNumThreads(const Call& call) {
  const int64_t threads = toInt(call.env, call[0]);
  if (threads < 1 || threads > 1024) {
    throw BadArgument("the number of threads must be within 1 and 1024");
  }
  // Each call makes libtorch start a second pool of threads anew (src/torch/addon.ts).
  if (threads != at::get_num_threads()) at::set_num_threads(static_cast<int>(threads));
  return nullptr;
}

// keepLargeBlocks(): glibc gives big blocks back to the kernel at every free, and each training
// step then pays for faulting the same pages in again. Keeping them is what every allocator of
// activations does.
napi_value keepLargeBlocks(const Call& call) {
  bool done = false;
#if defined(__GLIBC__)
  // glibc refuses a higher threshold than 32 MiB. It could be told to map nothing, and keep all
  // blocks (M_MMAP_MAX); but a small block that comes to lie in a large one's place, and stays,
  // then costs as much memory as the large one.
  done = mallopt(M_MMAP_THRESHOLD, 32 << 20) == 1 && mallopt(M_TRIM_THRESHOLD, 0x7fffffff) == 1 &&
         mallopt(M_TOP_PAD, 64 << 20) == 1;
#endif
  return boolean(call.env, done);
}

napi_value keepSmall(const Call& call) { return boolean(call.env, keepSmallBlocks()); }

}  // namespace

void exposeRuntime(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "version", version);
  expose(env, exports, bridge, "buildSettings", buildSettings);
  expose(env, exports, bridge, "cudaAvailable", cudaAvailable);
  expose(env, exports, bridge, "setCudnn", setCudnn);
  expose(env, exports, bridge, "numThreads", numThreads);
  expose(env, exports, bridge, "setNumThreads", setNumThreads);
  expose(env, exports, bridge, "keepLargeBlocks", keepLargeBlocks);
  expose(env, exports, bridge, "keepSmallBlocks", keepSmall);
}

}  // namespace lyceum
