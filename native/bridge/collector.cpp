// Tensors that no scope frees: each lives until the garbage collector has taken its JavaScript
// object.
//
// A FinalizationRegistry calls back only between turns of the event loop, costs more than a small
// operator, and keeps V8's cheap collections of young objects from taking the object. A weak
// reference of Node-API does none of that, but somebody must look at it. V8 sees small objects only
// and would let tens of thousands of tensors die unseen, whose memory is out of the processor's
// cache when it is used again. So whoever makes loose tensors asks for a collection of young
// objects every so many tensors or bytes (src/torch/unscoped.ts), and frees at once what it took.
// Since most die before the first one, small tensors share a weak reference until then.
#include "bridge/bridge.h"

namespace lyceum {
namespace {

// After so many tensors, or so much memory, it is time for a collection.
constexpr int64_t kMade = 1024;
constexpr int64_t kMadeBytes = 16 << 20;
// Looks at older tensors in each sweep.
constexpr size_t kOldLooks = kMade;

}  // namespace

bool Bridge::leaveToCollector(int64_t handle, napi_value object) {
  HeldTensor* held = find(handle);
  if (!held) return false;
  forget(*held);
  check(env, napi_create_reference(env, object, 0, &held->object));
  made_.push_back({handle, held->number});
  tellCollector(*held, held->bytes);
  ++madeCount_;
  madeBytes_ += held->bytes;
  return isDue();
}

bool Bridge::leaveGroup(const int32_t* handles, int64_t count, napi_value object) {
  WeakGroup group;
  group.members.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    HeldTensor* held = find(handles[i]);
    if (!held) continue;
    group.members.push_back({handles[i], held->number});
    tellCollector(*held, held->bytes);
  }
  if (group.members.empty()) return false;
  check(env, napi_create_reference(env, object, 0, &group.object));
  groups_.push_back(std::move(group));
  madeCount_ += count;
  return isDue();
}

bool Bridge::isDue() {
  // Inside another function of the bridge nobody sweeps.
  if (depth > 1 || (madeCount_ < kMade && madeBytes_ < kMadeBytes)) return false;
  madeCount_ = 0;
  madeBytes_ = 0;
  return true;
}

void Bridge::takeFromCollector(int64_t handle) {
  if (HeldTensor* held = find(handle)) forget(*held);
}

napi_value Bridge::sweep(bool all) {
  // A function further down the stack may be about to use a handle whose object is gone already.
  if (depth > 1) return nullptr;
  for (const Loose& loose : young_) {
    if (lives(loose)) old_.push_back(loose);
  }
  young_.clear();
  for (const Loose& loose : made_) {
    if (lives(loose)) young_.push_back(loose);
  }
  made_.clear();
  for (size_t looks = all ? old_.size() : std::min(kOldLooks, old_.size()); looks > 0; --looks) {
    const Loose oldest = old_.front();
    old_.pop_front();
    if (lives(oldest)) old_.push_back(oldest);
  }
  dropDeadBuffers();
  return sweepGroups();
}

napi_value Bridge::sweepGroups() {
  std::vector<WeakGroup> groups;
  groups.swap(groups_);
  napi_value alive = nullptr;
  uint32_t count = 0;
  for (const WeakGroup& group : groups) {
    napi_value object = nullptr;
    check(env, napi_get_reference_value(env, group.object, &object));
    napi_delete_reference(env, group.object);
    if (object) {
      if (!alive) check(env, napi_create_array(env, &alive));
      check(env, napi_set_element(env, alive, count++, object));
      continue;
    }
    for (const Loose& member : group.members) {
      const HeldTensor* held = find(member.handle);
      if (held && held->number == member.number) release(member.handle);
    }
  }
  return alive;
}

// Whether the tensor is still loose and its object there; frees it when the object is not.
bool Bridge::lives(const Loose& loose) {
  const HeldTensor* held = find(loose.handle);
  if (!held || held->number != loose.number) return false;
  napi_value object = nullptr;
  check(env, napi_get_reference_value(env, held->object, &object));
  if (!object) release(loose.handle);
  return object != nullptr;
}

// The tensor leaves its list when it is looked at next.
void Bridge::forget(HeldTensor& held) {
  held.number = ++numbers_;
  tellCollector(held, 0);
  if (held.object) napi_delete_reference(env, held.object);
  held.object = nullptr;
}

void Bridge::tellCollector(HeldTensor& held, int64_t bytes) {
  untold_ += bytes - held.told;
  held.told = bytes;
  // V8 may start a collection when told, so tell it rarely.
  constexpr int64_t kStep = 4 << 20;
  if (untold_ < kStep && untold_ > -kStep) return;
  int64_t total;
  napi_adjust_external_memory(env, untold_, &total);
  untold_ = 0;
}

}  // namespace lyceum
