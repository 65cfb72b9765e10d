#include "kernels/convolution/kept_weights.h"

#include <ATen/ops/empty.h>
#include <c10/core/CPUAllocator.h>

#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace lyceum {
namespace {

// What a weight was when it was prepared.
struct State {
  explicit State(const at::Tensor& weight)
      : tensor(weight.getIntrusivePtr()),
        storage(weight.storage().getWeakStorageImpl()),
        data(weight.data_ptr()),
        version(weight._version()),
        sizes(weight.sizes().vec()),
        strides(weight.strides().vec()) {}

  // Whether it is still the same, down to the values. A tensor can be given other memory
  // (`set_data`), which its version does not count; and new memory may begin where old memory did.
  // What is referred to weakly keeps its address for itself.
  bool holds(const at::Tensor& weight) const {
    return weight._version() == version && weight.data_ptr() == data &&
           storage == weight.storage().getWeakStorageImpl() &&
           weight.sizes() == at::IntArrayRef(sizes) && weight.strides() == at::IntArrayRef(strides);
  }

  c10::weak_intrusive_ptr<c10::TensorImpl> tensor;
  c10::weak_intrusive_ptr<c10::StorageImpl> storage;
  const void* data;
  uint32_t version;
  std::vector<int64_t> sizes, strides;
};

struct Kept {
  State of;
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
    one = one->second.of.tensor.expired() ? all().erase(one) : std::next(one);
  }
}

}  // namespace

at::Tensor kept_weights(const at::Tensor& weight, const Layout& layout,
                        const std::function<void(float*)>& make) {
  const bool counted = counts_writes(weight);
  const c10::TensorImpl* key = weight.unsafeGetTensorImpl();
  if (counted) {
    const std::lock_guard<std::mutex> lock(reading());
    const auto found = all().find(key);
    if (found != all().end() && found->second.layout == layout.name &&
        found->second.made.numel() == layout.size && found->second.of.holds(weight)) {
      return found->second.made;
    }
    forget_dead();
  }
  std::optional<State> state;
  if (counted) state.emplace(weight);
  const at::Tensor made =
      at::empty({layout.size}, weight.options().memory_format(at::MemoryFormat::Contiguous));
  make(made.data_ptr<float>());
  if (counted) {
    const std::lock_guard<std::mutex> lock(reading());
    all().insert_or_assign(key, Kept{*std::move(state), layout.name, made});
  }
  return made;
}

}  // namespace lyceum
