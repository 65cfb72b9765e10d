#include "bridge/bridge.h"

#include <c10/util/Logging.h>

#include <new>

#if defined(LYCEUM_CUDA)
#include "bridge/cuda.h"
#endif
#include "bridge/additions.h"
#include "bridge/division.h"
#include "kernels/isa.h"

namespace lyceum {
namespace {

// Bytes that die with this tensor alone; a view of somebody else's storage adds none.
int64_t ownBytes(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.has_storage() || !tensor.device().is_cpu()) return 0;
  const auto& storage = tensor.storage();
  return storage.use_count() == 1 ? static_cast<int64_t>(storage.nbytes()) : 0;
}

// Whether little lives as long as this tensor does.
bool isLight(const at::Tensor& tensor) {
  constexpr size_t kLightBytes = 4096;
  return tensor.device().is_cpu() && tensor.has_storage() &&
         tensor.storage().nbytes() <= kLightBytes && !tensor.unsafeGetTensorImpl()->autograd_meta();
}

struct Entry {
  Bridge* bridge;
  Function function;
  const char* name;
};

struct Depth {
  explicit Depth(int& of) : depth(of) { ++depth; }
  ~Depth() { --depth; }
  int& depth;
};

// The widest schema of libtorch has fewer than 32 arguments.
constexpr size_t kMaxArguments = 40;

napi_value enter(napi_env env, napi_callback_info info) {
  Entry* entry = nullptr;
  napi_value arguments[kMaxArguments];
  // Node-API fills what is not given with undefined, so few are asked for first.
  constexpr size_t kFew = 6;
  size_t count = kFew;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return nullptr;
  if (count > kFew) {
    count = kMaxArguments;
    if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok) return nullptr;
  }
  entry = static_cast<Entry*>(data);
  const Depth depth(entry->bridge->depth);
  try {
    return entry->function({*entry->bridge, env, std::min(count, kMaxArguments), arguments});
  } catch (...) {
    throwToJavaScript(env, entry->name);
    return nullptr;
  }
}

}  // namespace

int32_t Bridge::hold(at::Tensor held) {
  if (!held.defined()) return 0;
  // Sparse, oneDNN's, quantised and nested tensors, and zeros that have no memory: many operators
  // take any of them for a dense one and read memory that is not there.
  if (held.layout() != at::kStrided || held.is_quantized() || held.is_nested() ||
      held._is_zerotensor()) {
    throw BadArgument("gives a tensor that is not dense, which the bridge does not carry");
  }
  const int64_t size = ownBytes(held);
  bytes += size;
  const bool light = isLight(held);
  return tensors.add({std::move(held), size, ++numbers_}) << 1 | (light ? 0 : 1);
}

void Bridge::release(int64_t handle) {
  HeldTensor dead;
  if (!tensors.take(handle >> 1, dead)) return;
  bytes -= dead.bytes;
  forget(dead);
}

at::Tensor& Bridge::tensor(int64_t handle) {
  HeldTensor* held = find(handle);
  if (!held) throw BadArgument(handle == 0 ? "was disposed" : "is no live Tensor");
  return held->tensor;
}

void Bridge::dropDeadBuffers() {
  std::vector<napi_ref> dead;
  {
    std::lock_guard<std::mutex> lock(buffers->mutex);
    dead.swap(buffers->dead);
  }
  for (napi_ref reference : dead) napi_delete_reference(env, reference);
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  // First, since every other call forgets it.
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  const std::string message =
      info && info->error_message ? info->error_message : "Node-API call failed";
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw PendingException();
  throw std::runtime_error(message);
}

std::string messageOf(const std::exception& error) {
  if (const auto* torchError = dynamic_cast<const c10::Error*>(&error)) {
    return torchError->what_without_backtrace();
  }
  if (dynamic_cast<const std::bad_alloc*>(&error)) return "out of memory";
  return error.what();
}

void throwToJavaScript(napi_env env, const std::string& what) noexcept {
  const std::string prefix = what.empty() ? "" : what + ": ";
  try {
    throw;
  } catch (const PendingException&) {
  } catch (const BadArgument& error) {
    napi_throw_type_error(env, nullptr, (prefix + error.what()).c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, (prefix + messageOf(error)).c_str());
  } catch (...) {
    napi_throw_error(env, nullptr, (prefix + "unknown C++ exception").c_str());
  }
}

std::vector<Addition>& additions() {
  static std::vector<Addition> all;
  return all;
}

void expose(napi_env env, napi_value exports, Bridge* bridge, const char* name, Function function,
            bool namesItself) {
  // Lives as long as the addon: functions may be called until the environment ends.
  auto* entry = new Entry{bridge, function, namesItself ? "" : name};
  napi_value callable;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, enter, entry, &callable));
  check(env, napi_set_named_property(env, exports, name, callable));
}

}  // namespace lyceum

NAPI_MODULE_INIT() {
  using namespace lyceum;
  try {
    // Nobody sees the C++ stack of an error, and naming its frames takes a hundred times as long as
    // the call.
    c10::SetStackTraceFetcher([] { return std::string(); });
    surviveDivisions();
    // Throws where the environment asks for instructions that the processor lacks.
    isa();
    auto* bridge = new Bridge(env);
    check(env,
          napi_set_instance_data(
              env, bridge, [](napi_env, void* data, void*) { delete static_cast<Bridge*>(data); },
              nullptr));
    exposeOperators(env, exports, bridge);
    exposeTensors(env, exports, bridge);
    exposeAutograd(env, exports, bridge);
    exposeGenerators(env, exports, bridge);
    exposeRuntime(env, exports, bridge);
    exposeSignals(env, exports, bridge);
#if defined(LYCEUM_CUDA)
    exposeCuda(env, exports, bridge);
#endif
    for (const auto& expose : additions()) expose(env, exports, bridge);
    return exports;
  } catch (...) {
    throwToJavaScript(env, "loading the libtorch bridge");
    return nullptr;
  }
}
