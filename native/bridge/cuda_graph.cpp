// CUDA graphs: what a function gives a card to do is recorded once and then launched by one call,
// as torch.cuda.graph does it. A training step is hundreds of small kernels, and launching them one
// by one takes longer than they run.
//
// Everything recorded reads and writes the memory it was recorded with. Tensors made while
// recording have theirs from a pool of the graph's own, which lasts as long as the graph, whether
// their handles do or not. What goes in and out must be tensors that were there before.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include "bridge/cuda.h"
#include "bridge/values.h"

namespace lyceum {

struct CudaGraph {
  explicit CudaGraph(c10::Device on)
      : device(on), stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, on.index())) {}
  ~CudaGraph() {
    entered.reset();
    // A launch that is still under way uses the pool.
    try {
      const c10::cuda::CUDAGuard guard(device);
      c10::cuda::device_synchronize();
    } catch (const c10::Error&) {
    }
  }

  c10::Device device;
  // The graph has a stream of its own, since the default one cannot be recorded.
  c10::cuda::CUDAStream stream;
  at::cuda::CUDAGraph graph;
  // Set while its stream is the current one.
  std::unique_ptr<c10::cuda::CUDAStreamGuard> entered;
  bool recording = false;
  bool recorded = false;
};

namespace {

CudaGraph& self(const Call& call) {
  std::shared_ptr<CudaGraph>* graph = call.bridge.graphs.find(toInt(call.env, call[0]));
  if (!graph) throw BadArgument("the graph was disposed");
  return **graph;
}

// createGraph(device): a handle of its own table.
napi_value create(const Call& call) {
  const c10::Device device = cudaDeviceOf(toString(call.env, call[0]));
  return integer(call.env, call.bridge.graphs.add(std::make_shared<CudaGraph>(device)));
}

napi_value dispose(const Call& call) {
  std::shared_ptr<CudaGraph> dead;
  call.bridge.graphs.take(toInt(call.env, call[0]), dead);
  return nullptr;
}

// enterGraph(graph): what follows goes to its stream, after all that was given before.
napi_value enter(const Call& call) {
  CudaGraph& it = self(call);
  if (it.entered) throw BadArgument("was entered before");
  auto guard = std::make_unique<c10::cuda::CUDAStreamGuard>(it.stream);
  c10::cuda::device_synchronize();
  it.entered = std::move(guard);
  return nullptr;
}

// leaveGraph(graph): back to the stream before, when all is done. Gives a recording up.
napi_value leave(const Call& call) {
  CudaGraph& it = self(call);
  if (!it.entered) throw BadArgument("was not entered");
  if (it.recording) {
    it.recording = false;
    try {
      // After a recording that failed it throws, too; what matters is that the stream goes on.
      it.graph.capture_end();
      it.graph.reset();
    } catch (const std::exception&) {
    }
    it.entered.reset();
    return nullptr;
  }
  it.stream.synchronize();
  it.entered.reset();
  return nullptr;
}

// beginRecording(graph): from now on its stream takes down what it is given, and does nothing.
napi_value beginRecording(const Call& call) {
  CudaGraph& it = self(call);
  if (!it.entered || it.recording || it.recorded) {
    throw BadArgument("can be recorded once, while it is entered");
  }
  c10::cuda::device_synchronize();
  // The pool takes its memory anew from the device.
  c10::cuda::CUDACachingAllocator::emptyCache();
  it.graph.capture_begin();
  it.recording = true;
  return nullptr;
}

napi_value endRecording(const Call& call) {
  CudaGraph& it = self(call);
  if (!it.recording) throw BadArgument("is not being recorded");
  it.recording = false;
  it.graph.capture_end();
  it.recorded = true;
  return nullptr;
}

// replayGraph(graph): does what was recorded, on the current stream; does not wait for it.
napi_value replay(const Call& call) {
  CudaGraph& it = self(call);
  if (!it.recorded) throw BadArgument("was not recorded");
  const c10::cuda::CUDAGuard guard(it.device);
  it.graph.replay();
  return nullptr;
}

}  // namespace

void exposeCudaGraphs(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "createGraph", create);
  expose(env, exports, bridge, "disposeGraph", dispose);
  expose(env, exports, bridge, "enterGraph", enter);
  expose(env, exports, bridge, "leaveGraph", leave);
  expose(env, exports, bridge, "beginRecording", beginRecording);
  expose(env, exports, bridge, "endRecording", endRecording);
  expose(env, exports, bridge, "replayGraph", replay);
}

}  // namespace lyceum
