#include "kernels/convolution/kept_weights.h"

#include <ATen/ops/empty.h>
#include <c10/core/CPUAllocator.h>

#include <mutex>
#include <unordered_map>

namespace lyceum {
namespace {

using Weak = c10::weak_intrusive_ptr<c10::TensorImpl>;

struct Kept {
  Weak of;
  uint32_t version;
  // The weight's memory then: it may be given another tensor's since, which no version counts.
  const void* data;
  uint64_t layout;
  at::Tensor made;
};

// Whether every write to the weight is counted. Those to memory that is not libtorch's own are not
// (a SharedArrayBuffer of JavaScript, a mapped file), nor are those to tensors of inference mode.
bool counts_writes(const at::Tensor& weight) {
  if (weight.is_inference()) return false;
  const c10::DeleterFnPtr deleter = weight.storage().data_ptr().get_deleter();
  return deleter == c10::GetAllocator(c10::kCPU)->raw_deleter() ||
         deleter == c10::GetDefaultCPUAllocator()->raw_deleter();
}

// The map is never destroyed: at the end of the process libtorch may be gone before our statics
// are.
std::unordered_map<const c10::TensorImpl*, Kept>& all() {
  static auto* one = new std::unordered_map<const c10::TensorImpl*, Kept>();
  return *one;
}
std::mutex& reading() {
  static auto* one = new std::mutex();
  return *one;
}

void forget_dead() {
  for (auto one = all().begin(); one != all().end();) {
    one = one->second.of.expired() ? all().erase(one) : std::next(one);
  }
}

}  // namespace

at::Tensor kept_weights(const at::Tensor& weight, const Layout& layout,
                        const std::function<void(float*)>& make) {
  const bool counted = counts_writes(weight);
  const uint32_t version = counted ? weight._version() : 0;
  const c10::TensorImpl* key = weight.unsafeGetTensorImpl();
  if (counted) {
    const std::lock_guard<std::mutex> lock(reading());
    const auto found = all().find(key);
    // The key may be that of a tensor which has died, in whose place another lies now.
    if (found != all().end() && !found->second.of.expired() && found->second.version == version &&
        found->second.data == weight.data_ptr() && found->second.layout == layout.name &&
        found->second.made.numel() == layout.size) {
      return found->second.made;
    }
    forget_dead();
  }
  const at::Tensor made =
      at::empty({layout.size}, weight.options().memory_format(at::MemoryFormat::Contiguous));
  make(made.data_ptr<float>());
  if (counted) {
    const std::lock_guard<std::mutex> lock(reading());
    all().insert_or_assign(
        key, Kept{Weak(weight.getIntrusivePtr()), version, weight.data_ptr(), layout.name, made});
  }
  return made;
}

}  // namespace lyceum
