// The state of the bridge in one Node environment (the main thread, or a worker), and how its
// functions are entered.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/stack.h>
#include <c10/core/InferenceMode.h>
#include <node_api.h>

#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bridge/operator.h"
#include "bridge/slots.h"

namespace lyceum {

// A tensor that JavaScript holds.
struct HeldTensor {
  at::Tensor tensor;
  int64_t bytes = 0;
  // A number that no other tensor has. It changes once the collector no longer decides about the
  // tensor.
  int64_t number = 0;
  // A weak reference to its JavaScript object, where the collector decides about this tensor alone.
  napi_ref object = nullptr;
  // The bytes that the collector was told of.
  int64_t told = 0;
};

// Defined only in a build with CUDA.
struct CudaGraph;
// Defined only in a build with Gloo.
struct Distributed;

// A tensor that lives until the garbage collector takes its JavaScript object, unless its number
// has changed since.
struct Loose {
  int64_t handle;
  int64_t number;
};

// Loose tensors of which one weak reference tells that all their objects are gone.
struct WeakGroup {
  std::vector<Loose> members;
  napi_ref object;
};

// Buffers of JavaScript that tensors look into. A tensor may die on any thread, a reference only on
// its own: dead ones wait here until the environment's thread comes by. Outlives the environment if
// a tensor does.
struct BorrowedBuffers {
  std::mutex mutex;
  std::vector<napi_ref> dead;
};

class Bridge {
 public:
  explicit Bridge(napi_env environment) : env(environment) {}

  // The handle is even where little hangs on the tensor: a small block of memory, no graph.
  int32_t hold(at::Tensor tensor);
  void release(int64_t handle);
  // Lets the tensor live as long as `object` does. Returns whether it is time to collect young
  // objects and to sweep. The collector is told how much memory hangs on a small object. Not done
  // for what a scope frees: hundreds of megabytes a step would start collections that have nothing
  // to collect.
  bool leaveToCollector(int64_t handle, napi_value object);
  // The same of several, which live as long as `object`.
  bool leaveGroup(const int32_t* handles, int64_t count, napi_value object);
  void takeFromCollector(int64_t handle);
  // Looks at the young loose tensors and some older ones, or at all of them, and frees those whose
  // objects were collected. Returns the objects of groups that live on, whose members are nobody's
  // until they are left anew, each by itself; null where there are none.
  napi_value sweep(bool all);
  // Throws when the handle names no live tensor.
  at::Tensor& tensor(int64_t handle);
  void dropDeadBuffers();

  napi_env env;
  Slots<HeldTensor> tensors;
  Slots<at::Generator> generators;
  Slots<std::shared_ptr<CudaGraph>> graphs;
  std::shared_ptr<Distributed> distributed;
  std::vector<std::unique_ptr<Operator>> operators;
  std::unordered_map<std::string, int32_t> operatorIds;
  torch::jit::Stack stack;
  // Memory that operators in the background read.
  std::unordered_multiset<const c10::StorageImpl*> busy;
  // Thread-local guards of libtorch which JavaScript enters and leaves as a stack.
  std::vector<std::unique_ptr<c10::InferenceMode>> inference;
  std::shared_ptr<BorrowedBuffers> buffers = std::make_shared<BorrowedBuffers>();
  int64_t bytes = 0;
  // Functions of the bridge that are on the stack: one that reads a hostile array may run
  // JavaScript.
  int depth = 0;

 private:
  HeldTensor* find(int64_t handle) { return tensors.find(handle >> 1); }
  bool isDue();
  napi_value sweepGroups();
  bool lives(const Loose& loose);
  void forget(HeldTensor& held);
  void tellCollector(HeldTensor& held, int64_t bytes);
  // Loose tensors that were made since the last sweep, those that lived through it, and those that
  // lived longer in the order in which they are looked at.
  std::vector<WeakGroup> groups_;
  std::vector<Loose> made_;
  std::vector<Loose> young_;
  std::deque<Loose> old_;
  int64_t numbers_ = 0;
  // Since it was last time to collect.
  int64_t madeCount_ = 0;
  int64_t madeBytes_ = 0;
  int64_t untold_ = 0;
};

// Thrown when a JavaScript exception is pending already.
struct PendingException {};

// A mistake of the caller, not of libtorch: arrives in JavaScript as a TypeError.
struct BadArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One call from JavaScript.
struct Call {
  Bridge& bridge;
  napi_env env;
  size_t count;
  napi_value* arguments;

  napi_value operator[](size_t i) const { return i < count ? arguments[i] : nullptr; }
};

void check(napi_env env, napi_status status);
// Turns the exception in flight into a pending JavaScript one; `what` names the operation, if not
// empty.
void throwToJavaScript(napi_env env, const std::string& what) noexcept;
std::string messageOf(const std::exception& error);

using Function = napi_value (*)(const Call&);
// Adds `function` to `exports`, wrapped so that no C++ exception leaves it. Errors start with
// `name`, except those of a function which says itself what failed.
void expose(napi_env env, napi_value exports, Bridge* bridge, const char* name, Function function,
            bool namesItself = false);

void exposeOperators(napi_env env, napi_value exports, Bridge* bridge);
void exposeTensors(napi_env env, napi_value exports, Bridge* bridge);
void exposeAutograd(napi_env env, napi_value exports, Bridge* bridge);
void exposeGenerators(napi_env env, napi_value exports, Bridge* bridge);
void exposeRuntime(napi_env env, napi_value exports, Bridge* bridge);
void exposeSignals(napi_env env, napi_value exports, Bridge* bridge);

}  // namespace lyceum
