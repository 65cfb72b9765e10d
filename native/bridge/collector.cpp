// Tensors that no scope frees: each lives until the garbage collector has taken its JavaScript object.
//
// A FinalizationRegistry calls back only between turns of the event loop, costs more than a small operator, and keeps
// V8's cheap collections of young objects from taking the object. A weak reference of Node-API does none of that, but
// somebody must look at it: whoever makes loose tensors looks at some older ones.
#include "bridge/bridge.h"

namespace lyceum {
namespace {

// For each tensor made: more than one, or the dead would outrun the looks.
constexpr int64_t kLooks = 2;
// Large tensors pay for more looks, so that few of them are dead and not yet seen.
constexpr int64_t kBytesPerLook = 64 << 10;
// Looks are taken together, which saves calls.
constexpr int64_t kLooksAtOnce = 32;

}  // namespace

bool Bridge::leaveToCollector(int64_t handle, napi_value object) {
  HeldTensor* held = tensors.find(handle);
  if (!held) return false;
  if (held->loose >= 0) forget(*held);
  napi_ref reference;
  check(env, napi_create_reference(env, object, 0, &reference));
  held->loose = firstLoose_ + static_cast<int64_t>(loose_.size());
  loose_.push_back({handle, reference});
  tellCollector(held->bytes);
  due_ += kLooks + held->bytes / kBytesPerLook;
  return due_ >= kLooksAtOnce;
}

void Bridge::takeFromCollector(int64_t handle) {
  HeldTensor* held = tensors.find(handle);
  if (held && held->loose >= 0) forget(*held);
}

void Bridge::sweep(bool all) {
  // A function further down the stack may be about to use a handle whose object is gone already.
  if (depth > 1) return;
  const auto count = static_cast<int64_t>(loose_.size());
  for (int64_t looks = all ? count : std::min(due_, count); looks > 0; --looks) {
    const Loose oldest = loose_.front();
    napi_value object = nullptr;
    if (oldest.object) check(env, napi_get_reference_value(env, oldest.object, &object));
    if (oldest.object && !object) release(oldest.handle);
    loose_.pop_front();
    ++firstLoose_;
    // Alive: to the end of the queue.
    if (!object) continue;
    tensors.find(oldest.handle)->loose = firstLoose_ + static_cast<int64_t>(loose_.size());
    loose_.push_back(oldest);
  }
  due_ = 0;
  dropDeadBuffers();
}

void Bridge::forget(HeldTensor& held) {
  // Its place in the queue stays, empty, until the next look at it.
  napi_ref& object = loose_[held.loose - firstLoose_].object;
  napi_delete_reference(env, object);
  object = nullptr;
  held.loose = -1;
  tellCollector(-held.bytes);
}

void Bridge::tellCollector(int64_t delta) {
  untold_ += delta;
  // V8 may start a collection when told, so tell it rarely.
  constexpr int64_t kStep = 4 << 20;
  if (untold_ < kStep && untold_ > -kStep) return;
  int64_t total;
  napi_adjust_external_memory(env, untold_, &total);
  untold_ = 0;
}

}  // namespace lyceum
