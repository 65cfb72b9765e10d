#include "distributed/mailbox.h"

#include "bridge/bridge.h"

namespace lyceum::distributed {

std::shared_ptr<Mailbox> Mailbox::open(napi_env env) {
  auto mailbox = std::make_shared<Mailbox>();
  napi_value name;
  check(env, napi_create_string_utf8(env, "lyceum", NAPI_AUTO_LENGTH, &name));
  // Holds the mailbox until the environment has ended.
  auto* held = new std::shared_ptr<Mailbox>(mailbox);
  const auto close = [](napi_env, void* data, void*) {
    auto* held = static_cast<std::shared_ptr<Mailbox>*>(data);
    {
      std::lock_guard<std::mutex> lock((*held)->mutex_);
      (*held)->function_ = nullptr;
    }
    delete held;
  };
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, held, close,
                                             mailbox.get(), deliver, &mailbox->function_));
  check(env, napi_unref_threadsafe_function(env, mailbox->function_));
  return mailbox;
}

void Mailbox::expect(napi_env env) {
  if (expected_++ == 0) check(env, napi_ref_threadsafe_function(env, function_));
}

void Mailbox::post(Letter letter) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!function_) return;
  auto* sent = new Letter(std::move(letter));
  if (napi_call_threadsafe_function(function_, sent, napi_tsfn_nonblocking) == napi_ok) return;
  // The environment is ending: the function must not be used any more.
  function_ = nullptr;
  delete sent;
}

void Mailbox::deliver(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Letter> letter(static_cast<Letter*>(data));
  if (!env) return;
  auto* mailbox = static_cast<Mailbox*>(context);
  if (--mailbox->expected_ == 0) napi_unref_threadsafe_function(env, mailbox->function_);
  (*letter)(env);
}

}  // namespace lyceum::distributed
