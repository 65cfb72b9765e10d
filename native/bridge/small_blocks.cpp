// Memory of small tensors on the CPU.
//
// libtorch asks for blocks aligned to 64 bytes. glibc cuts each out of a larger one and puts the
// pieces together when it is freed, which is a fifth of what a small operator costs in all. Here a
// free block stays what it is, in a list of its size: powers of two up to kLargest, out of one
// region that is never given back. Larger ones, those of other threads than the one which loaded
// the bridge, and all once the region is used up are left to the allocator that was there.
#include "bridge/small_blocks.h"

#include <c10/core/CPUAllocator.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace lyceum {
namespace {

constexpr size_t kSmallest = 64;
constexpr size_t kLargest = 4096;
constexpr size_t kSizes = 7;
// Pages of it that nobody asks for cost no memory.
constexpr size_t kRegion = 64 << 20;
// What a size takes of the region at a time.
constexpr size_t kSlab = 64 << 10;
static_assert(kSmallest << (kSizes - 1) == kLargest, "one list for each power of two");

struct Free {
  Free* next;
};

class SmallBlocks final : public c10::Allocator {
 public:
  static SmallBlocks* instance;

  SmallBlocks(c10::Allocator* other, char* region)
      : other_(other), freeOther_(other->raw_deleter()), region_(region) {}

  // `const` and what can be copied depend on libtorch's version: the right one of each overrides.
  c10::DataPtr allocate(size_t bytes) const { return const_cast<SmallBlocks*>(this)->give(bytes); }
  c10::DataPtr allocate(size_t bytes) { return give(bytes); }
  void copy_data(void* to, const void* from, size_t bytes) const { std::memcpy(to, from, bytes); }
  c10::DeleterFnPtr raw_deleter() const override { return takeBack; }

 private:
  struct Size {
    Free* free = nullptr;
    // What is left of the last slab.
    char* fresh = nullptr;
    char* end = nullptr;
    // Freed by other threads, which only add to it; the owner takes all at once.
    std::atomic<Free*> returned{nullptr};
  };

  c10::DataPtr give(size_t bytes) {
    const bool ours = bytes > 0 && bytes <= kLargest && pthread_equal(pthread_self(), owner_);
    void* block = ours ? giveSmall(sizeOf(bytes)) : nullptr;
    if (!block) block = other_->raw_allocate(bytes);
    return {block, block, takeBack, c10::Device(c10::kCPU)};
  }

  // The index of the smallest power of two that holds so many bytes.
  static size_t sizeOf(size_t bytes) {
    size_t number = 0;
    while (kSmallest << number < bytes) ++number;
    return number;
  }

  void* giveSmall(size_t number) {
    Size& size = sizes_[number];
    if (!size.free) size.free = size.returned.exchange(nullptr, std::memory_order_acquire);
    if (Free* block = size.free) {
      size.free = block->next;
      return block;
    }
    if (size.fresh == size.end) {
      if (slabs_ == numberOfSlab_.size()) return nullptr;
      size.fresh = region_ + slabs_ * kSlab;
      size.end = size.fresh + kSlab;
      numberOfSlab_[slabs_++] = static_cast<uint8_t>(number);
    }
    char* block = size.fresh;
    size.fresh += kSmallest << number;
    return block;
  }

  static void takeBack(void* block) {
    SmallBlocks& self = *instance;
    // The difference wraps around for blocks of another allocator.
    const auto offset = static_cast<size_t>(static_cast<char*>(block) - self.region_);
    if (offset >= kRegion) return self.freeOther_(block);
    Size& size = self.sizes_[self.numberOfSlab_[offset / kSlab]];
    auto* free = static_cast<Free*>(block);
    if (pthread_equal(pthread_self(), self.owner_)) {
      free->next = size.free;
      size.free = free;
      return;
    }
    free->next = size.returned.load(std::memory_order_relaxed);
    while (!size.returned.compare_exchange_weak(free->next, free, std::memory_order_release,
                                                std::memory_order_relaxed)) {
    }
  }

  c10::Allocator* const other_;
  const c10::DeleterFnPtr freeOther_;
  char* const region_;
  const pthread_t owner_ = pthread_self();
  std::array<Size, kSizes> sizes_;
  size_t slabs_ = 0;
  std::array<uint8_t, kRegion / kSlab> numberOfSlab_{};
};

SmallBlocks* SmallBlocks::instance = nullptr;

}  // namespace

bool keepSmallBlocks() {
  static const bool done = [] {
    c10::Allocator* other = c10::GetAllocator(c10::kCPU);
    if (!other || !other->raw_deleter()) return false;
    auto* region = static_cast<char*>(std::aligned_alloc(kSlab, kRegion));
    if (!region) return false;
    // The allocator is never destroyed: tensors may outlive every static object.
    SmallBlocks::instance = new SmallBlocks(other, region);
    c10::SetAllocator(c10::kCPU, SmallBlocks::instance, 255);
    return true;
  }();
  return done;
}

}  // namespace lyceum
