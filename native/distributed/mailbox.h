// Brings what happened on other threads to JavaScript's.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>
#include <mutex>

namespace lyceum::distributed {

// Outlives the environment as long as a thread may still post.
class Mailbox {
 public:
  using Letter = std::function<void(napi_env)>;

  static std::shared_ptr<Mailbox> open(napi_env env);
  // JavaScript's thread: the event loop goes on until as many letters have come.
  void expect(napi_env env);
  // Any thread. Letters to an environment that has ended are dropped.
  void post(Letter letter);

 private:
  static void deliver(napi_env env, napi_value, void* context, void* data);

  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
  int expected_ = 0;
};

}  // namespace lyceum::distributed
