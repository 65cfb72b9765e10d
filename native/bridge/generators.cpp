// Seeded random number generators with a state that can be saved.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include "bridge/values.h"

namespace lyceum {
namespace {

at::Generator& self(const Call& call) {
  at::Generator* generator = call.bridge.generators.find(toInt(call.env, call[0]));
  if (!generator) throw BadArgument("the generator was disposed");
  return *generator;
}

// createGenerator(device): a handle of its own table.
napi_value create(const Call& call) {
  const c10::Device device = deviceOf(toString(call.env, call[0]));
  at::Generator generator =
      device.is_cpu() ? at::make_generator<at::CPUGeneratorImpl>()
                      // Only the device's library can make one: copy its default generator.
                      : at::globalContext().defaultGenerator(device).clone();
  return integer(call.env, call.bridge.generators.add(std::move(generator)));
}

napi_value dispose(const Call& call) {
  at::Generator dead;
  call.bridge.generators.take(toInt(call.env, call[0]), dead);
  return nullptr;
}

napi_value seed(const Call& call) {
  const int64_t value = toInt(call.env, call[1]);
  if (value < 0) throw BadArgument("a seed must not be negative");
  at::Generator& generator = self(call);
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(static_cast<uint64_t>(value));
  return nullptr;
}

napi_value state(const Call& call) {
  return integer(call.env, call.bridge.hold(self(call).get_state()));
}

napi_value setState(const Call& call) {
  self(call).set_state(call.bridge.tensor(toInt(call.env, call[1])));
  return nullptr;
}

}  // namespace

void exposeGenerators(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "createGenerator", create);
  expose(env, exports, bridge, "disposeGenerator", dispose);
  expose(env, exports, bridge, "seedGenerator", seed);
  expose(env, exports, bridge, "generatorState", state);
  expose(env, exports, bridge, "setGeneratorState", setState);
}

}  // namespace lyceum
