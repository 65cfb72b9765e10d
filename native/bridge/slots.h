// A table of native objects that JavaScript names by a small integer.
//
// An external with a finaliser costs microseconds for each tensor; an index into a vector costs
// nanoseconds. Index 0 is never given out: it stands for "no object", which is what a disposed
// handle holds.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace lyceum {

template <class T>
class Slots {
 public:
  Slots() : slots_(1) {}

  int32_t add(T object) {
    ++live_;
    if (free_.empty()) {
      slots_.push_back({std::move(object), true});
      return static_cast<int32_t>(slots_.size() - 1);
    }
    const int32_t index = free_.back();
    free_.pop_back();
    slots_[index] = {std::move(object), true};
    return index;
  }

  // The object, or nullptr when the index names none.
  T* find(int64_t index) {
    if (index <= 0 || index >= static_cast<int64_t>(slots_.size()) || !slots_[index].used) {
      return nullptr;
    }
    return &slots_[index].object;
  }

  // Gives the object back, so that the caller decides when it is destroyed; false when the index
  // names none.
  bool take(int64_t index, T& out) {
    T* object = find(index);
    if (!object) return false;
    out = std::move(*object);
    slots_[index] = {T(), false};
    free_.push_back(static_cast<int32_t>(index));
    --live_;
    return true;
  }

  int64_t live() const { return live_; }

 private:
  struct Slot {
    T object{};
    bool used = false;
  };
  std::vector<Slot> slots_;
  std::vector<int32_t> free_;
  int64_t live_ = 0;
};

}  // namespace lyceum
