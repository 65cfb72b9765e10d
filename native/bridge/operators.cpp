// Finding and calling operators by name: the one road from JavaScript to libtorch's dispatcher.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>

#include <sstream>

#include "bridge/division.h"
#include "bridge/values.h"

namespace lyceum {
namespace {

Operator& operatorOf(Bridge& bridge, int64_t id) {
  if (id < 0 || id >= static_cast<int64_t>(bridge.operators.size())) {
    throw BadArgument("no such operator");
  }
  return *bridge.operators[id];
}

// resolve(name, overload): the id to call it by, or -1 when this libtorch has no such operator.
napi_value resolve(const Call& call) {
  const std::string name = toString(call.env, call[0]);
  const std::string overload = toString(call.env, call[1]);
  const std::string key = name + "." + overload;
  const auto known = call.bridge.operatorIds.find(key);
  if (known != call.bridge.operatorIds.end()) return integer(call.env, known->second);
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle) return integer(call.env, -1);
  call.bridge.operators.push_back(std::make_unique<Operator>(*handle));
  const auto id = static_cast<int32_t>(call.bridge.operators.size() - 1);
  call.bridge.operatorIds.emplace(key, id);
  return integer(call.env, id);
}

void set(napi_env env, napi_value object, const char* key, napi_value value) {
  check(env, napi_set_named_property(env, object, key, value));
}

napi_value describeParameter(napi_env env, const c10::Argument& argument,
                             const Parameter& parameter) {
  napi_value object;
  check(env, napi_create_object(env, &object));
  set(env, object, "name", text(env, parameter.name));
  set(env, object, "type", text(env, parameter.type));
  set(env, object, "keywordOnly", boolean(env, argument.kwarg_only()));
  set(env, object, "carried", boolean(env, parameter.kind != Kind::Unsupported));
  set(env, object, "written", boolean(env, parameter.written));
  if (parameter.hasDefault) {
    std::ostringstream fallback;
    fallback << parameter.fallback;
    set(env, object, "default", text(env, fallback.str()));
  }
  return object;
}

// schema(id): what the operator takes and gives.
napi_value schema(const Call& call) {
  const Operator& op = operatorOf(call.bridge, toInt(call.env, call[0]));
  napi_env env = call.env;
  std::ostringstream whole;
  whole << op.handle.schema();
  napi_value object, parameters, results;
  check(env, napi_create_object(env, &object));
  check(env, napi_create_array(env, &parameters));
  check(env, napi_create_array(env, &results));
  for (size_t i = 0; i < op.parameters.size(); ++i) {
    const auto described =
        describeParameter(env, op.handle.schema().arguments()[i], op.parameters[i]);
    check(env, napi_set_element(env, parameters, i, described));
  }
  const auto& returns = op.handle.schema().returns();
  for (size_t i = 0; i < returns.size(); ++i) {
    check(env, napi_set_element(env, results, i, text(env, returns[i].type()->str())));
  }
  set(env, object, "text", text(env, whole.str()));
  set(env, object, "parameters", parameters);
  set(env, object, "results", results);
  set(env, object, "returnsArguments", boolean(env, op.returnsArguments));
  return object;
}

// operators(): every name of the dispatcher, as "aten::add.Tensor".
napi_value operators(const Call& call) {
  napi_value array;
  check(call.env, napi_create_array(call.env, &array));
  auto& dispatcher = c10::Dispatcher::singleton();
  uint32_t i = 0;
  for (const auto& name : dispatcher.getAllOpNames()) {
    if (!dispatcher.findSchema(name)) continue;
    const std::string full =
        name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
    check(call.env, napi_set_element(call.env, array, i++, text(call.env, full)));
  }
  return array;
}

void run(const Operator& op, torch::jit::Stack& stack) {
  const uint64_t before = failedDivisions();
  op.handle.callBoxed(stack);
  if (failedDivisions() != before) {
    throw std::runtime_error("an integer was divided by zero, or the smallest integer by -1");
  }
}

void box(const Call& call, const Operator& op, torch::jit::Stack& stack) {
  for (size_t i = 0; i < op.parameters.size(); ++i) {
    try {
      stack.push_back(toIValue(call.bridge, call[i + 1], op.parameters[i]));
    } catch (const BadArgument& error) {
      throw BadArgument("argument '" + op.parameters[i].name + "' (" + op.parameters[i].type +
                        ") " + error.what());
    }
  }
  if (call.count > op.parameters.size() + 1) {
    throw BadArgument("takes at most " + std::to_string(op.parameters.size()) + " arguments, got " +
                      std::to_string(call.count - 1));
  }
}

// Calls `visit` with the memory of each tensor in an argument.
template <class F>
void eachStorage(const c10::IValue& value, F visit) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (tensor.defined() && tensor.has_storage()) visit(tensor.storage().unsafeGetStorageImpl());
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) eachStorage(item, visit);
  }
}

// The tensor that JavaScript gave for a parameter, undefined where it gave none; without running
// any JavaScript.
at::Tensor given(const Call& call, const Operator& op, size_t parameter) {
  int32_t handle = 0;
  const bool single =
      op.parameters[parameter].kind == Kind::Tensor && !op.parameters[parameter].list;
  if (!single || parameter + 1 >= call.count ||
      napi_get_value_int32(call.env, call[parameter + 1], &handle) != napi_ok) {
    return {};
  }
  try {
    return call.bridge.tensor(handle);
  } catch (const BadArgument&) {
    return {};
  }
}

bool sharesMemory(const at::Tensor& a, const at::Tensor& b) {
  return a.defined() && b.defined() && a.has_storage() && b.has_storage() &&
         a.storage().unsafeGetStorageImpl() == b.storage().unsafeGetStorageImpl();
}

void countTogether(const at::Tensor& tensor, const at::Tensor& with) {
  if (!sharesMemory(tensor, with) || tensor.is_same(with) || tensor.is_inference() ||
      with.is_inference()) {
    return;
  }
  tensor.unsafeGetTensorImpl()->set_version_counter(with.unsafeGetTensorImpl()->version_counter());
}

// libtorch counts the writes to a tensor and its views, and whoever keeps what was made of a tensor
// asks for the count: autograd, and the kernels of frozen weights
// (kernels/convolution/kept_weights.h). Some operators (`data`,
// `_unsafe_view`, `unsafe_split`, `set_`) make another tensor over the same memory with a count of
// its own, by which a write would go unseen. Here they share one, as a tensor and its `detach` do.
// `arguments` calls its argument with each tensor that the operator was given.
template <class Arguments>
void shareCounts(const torch::jit::Stack& results, const Arguments& arguments) {
  const auto share = [&](const at::Tensor& result) {
    // Nearly always the memory is the result's alone, or the count is shared already.
    if (!result.defined() || !result.has_storage() || result.storage().use_count() == 1 ||
        !result.unsafeGetTensorImpl()->version_counter().unique()) {
      return;
    }
    arguments([&](const at::Tensor& argument) { countTogether(result, argument); });
  };
  for (const c10::IValue& value : results) {
    if (value.isTensor()) share(value.toTensor());
    if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) share(tensor);
    }
  }
}

void shareCounts(const Call& call, const Operator& op, const torch::jit::Stack& results) {
  if (op.replacesMemory) countTogether(given(call, op, 0), given(call, op, 1));
  // Those are in the caller's hands already, and share what they did.
  if (op.returnsArguments) return;
  shareCounts(results, [&](const auto& visit) {
    for (size_t i = 0; i < op.parameters.size(); ++i) visit(given(call, op, i));
  });
}

void refuseOtherDtype(const Operator& op, const torch::jit::Stack& stack) {
  if (!op.trustsDtype) return;
  const at::Tensor &self = stack[0].toTensor(), &source = stack[1].toTensor();
  if (self.scalar_type() == source.scalar_type()) return;
  throw BadArgument("takes a source of the dtype that the tensor has");
}

// A background operator would read memory that an operator here may resize, that is, free.
void refuseBusy(const Bridge& bridge, const Operator& op, const torch::jit::Stack& stack) {
  for (size_t i = 0; i < stack.size(); ++i) {
    if (!op.parameters[i].written) continue;
    eachStorage(stack[i], [&](const c10::StorageImpl* storage) {
      if (bridge.busy.count(storage) == 0) return;
      throw BadArgument("argument '" + op.parameters[i].name +
                        "' is being read in the background: await that first");
    });
  }
}

// "self: float32[2, 3], other: float32[4]", from the arguments as they were given.
std::string describeArguments(const Call& call, const Operator& op) {
  std::string out;
  for (size_t i = 0; i < op.parameters.size() && i + 1 < call.count; ++i) {
    const Parameter& parameter = op.parameters[i];
    if (parameter.kind != Kind::Tensor) continue;
    std::string described;
    try {
      if (parameter.list) {
        for (const auto& tensor : toTensors(call.bridge, call[i + 1])) {
          described += (described.empty() ? "[" : ", ") + describe(tensor);
          if (described.size() > 200) {
            described += ", …";
            break;
          }
        }
        described += described.empty() ? "[]" : "]";
      } else {
        described = describe(call.bridge.tensor(toInt(call.env, call[i + 1])));
      }
    } catch (...) {
      bool pending = false;
      napi_is_exception_pending(call.env, &pending);
      if (pending) return out;
      continue;
    }
    out += (out.empty() ? "" : ", ") + parameter.name + ": " + described;
  }
  return out;
}

[[noreturn]] void fail(const Operator& op, const std::string& message, const std::string& given) {
  throw std::runtime_error(op.name + ": " + message + (given.empty() ? "" : "\n  given " + given));
}

napi_value unbox(Bridge& bridge, const Operator& op, torch::jit::Stack& stack) {
  // What was written in place is in the caller's hands already.
  if (op.returnsArguments || stack.empty()) return undefined(bridge.env);
  if (stack.size() == 1) return toJavaScript(bridge, stack.front());
  napi_value array;
  check(bridge.env, napi_create_array_with_length(bridge.env, stack.size(), &array));
  for (size_t i = 0; i < stack.size(); ++i) {
    check(bridge.env, napi_set_element(bridge.env, array, i, toJavaScript(bridge, stack[i])));
  }
  return array;
}

// call(id, ...arguments): in the schema's order; undefined takes the default.
napi_value callOperator(const Call& call) {
  int32_t id = -1;
  napi_get_value_int32(call.env, call[0], &id);
  const Operator& op = operatorOf(call.bridge, id);
  // One stack's memory serves every call. It is taken for the time of the call: reading a hostile
  // array may run JavaScript that calls an operator in between.
  torch::jit::Stack stack = std::move(call.bridge.stack);
  stack.clear();
  try {
    box(call, op, stack);
    if (op.writes && !call.bridge.busy.empty()) refuseBusy(call.bridge, op, stack);
    refuseOtherDtype(op, stack);
    run(op, stack);
    shareCounts(call, op, stack);
    const napi_value result = unbox(call.bridge, op, stack);
    // The results' only owner must be their handle, or in-place tricks of libtorch see a second
    // one.
    stack.clear();
    call.bridge.stack = std::move(stack);
    return result;
  } catch (const PendingException&) {
    throw;
  } catch (const BadArgument& error) {
    throw BadArgument(op.name + ": " + error.what());
  } catch (const std::exception& error) {
    fail(op, messageOf(error), describeArguments(call, op));
  }
}

struct BackgroundCall {
  Bridge& bridge;
  const Operator& op;
  torch::jit::Stack stack;
  std::vector<const c10::StorageImpl*> reads;
  // Keeps what is read alive until it is no longer called busy.
  torch::jit::Stack arguments;
  std::string given;
  std::string failure;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

void runInBackground(napi_env, void* data) {
  auto* task = static_cast<BackgroundCall*>(data);
  try {
    const at::NoGradGuard noGrad;
    run(task->op, task->stack);
  } catch (const std::exception& error) {
    task->failure = messageOf(error);
  } catch (...) {
    task->failure = "unknown C++ exception";
  }
}

void settle(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<BackgroundCall> task(static_cast<BackgroundCall*>(data));
  napi_delete_async_work(env, task->work);
  auto& busy = task->bridge.busy;
  for (const auto* storage : task->reads) busy.erase(busy.find(storage));
  try {
    if (status != napi_ok) fail(task->op, "was cancelled", task->given);
    if (!task->failure.empty()) fail(task->op, task->failure, task->given);
    shareCounts(task->stack, [&](const auto& visit) {
      for (const c10::IValue& value : task->arguments) {
        if (value.isTensor()) visit(value.toTensor());
      }
    });
    const napi_value result = unbox(task->bridge, task->op, task->stack);
    napi_resolve_deferred(env, task->deferred, result);
  } catch (const std::exception& error) {
    napi_value message = nullptr, reason = nullptr;
    napi_create_string_utf8(env, error.what(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &reason);
    napi_reject_deferred(env, task->deferred, reason);
  } catch (const PendingException&) {
    napi_value reason = nullptr;
    napi_get_and_clear_last_exception(env, &reason);
    napi_reject_deferred(env, task->deferred, reason);
  }
}

// callAsync(id, ...arguments): the same on a thread of libuv's pool, without grad; a promise of the
// result.
napi_value callInBackground(const Call& call) {
  const Operator& op = operatorOf(call.bridge, toInt(call.env, call[0]));
  auto task =
      std::unique_ptr<BackgroundCall>(new BackgroundCall{call.bridge, op, {}, {}, {}, {}, {}});
  try {
    if (op.writes) {
      throw BadArgument("writes to its arguments, which nothing in the background may");
    }
    box(call, op, task->stack);
  } catch (const BadArgument& error) {
    throw BadArgument(op.name + ": " + error.what());
  }
  task->given = describeArguments(call, op);
  napi_value promise;
  check(call.env, napi_create_promise(call.env, &task->deferred, &promise));
  check(call.env, napi_create_async_work(call.env, nullptr, text(call.env, "lyceum"),
                                         runInBackground, settle, task.get(), &task->work));
  task->arguments = task->stack;
  for (const auto& value : task->arguments) {
    eachStorage(value, [&](const c10::StorageImpl* storage) { task->reads.push_back(storage); });
  }
  check(call.env, napi_queue_async_work(call.env, task->work));
  call.bridge.busy.insert(task->reads.begin(), task->reads.end());
  task.release();
  return promise;
}

}  // namespace

void exposeOperators(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "resolve", resolve);
  expose(env, exports, bridge, "schema", schema);
  expose(env, exports, bridge, "operators", operators);
  expose(env, exports, bridge, "call", callOperator, true);
  expose(env, exports, bridge, "callAsync", callInBackground, true);
}

}  // namespace lyceum
