// How the channels of an activation lie in memory, in blocks of sixteen.
#pragma once

#include "kernels/isa/common.h"

namespace lyceum {

// Both orders of memory look the same to the loops: segments of rows (pixels), and in a row blocks
// of up to sixteen channels.
//   channels-last  [N, C, H, W] as N·H·W rows of C: one segment, blocks beside each other
//   blocked        [N, C/16, H, W, 16]: N segments of H·W rows, a block after the other's rows
struct Channels {
  int64_t channels = 0;
  int64_t blocks = 0;
  int64_t segments = 0;
  int64_t rows = 0;
  // Values from one to the next.
  int64_t segment_stride = 0;
  int64_t block_stride = 0;
  int64_t row_stride = 0;

  // The number of rows that stay in the first-level cache while they are gone over more than once.
  static constexpr int64_t kTile = 64;

  LYCEUM_INLINE int64_t tiles_per_segment() const { return (rows + kTile - 1) / kTile; }
  LYCEUM_INLINE int64_t tiles() const { return segments * tiles_per_segment(); }
  LYCEUM_INLINE int64_t rows_of(int64_t tile) const {
    const int64_t first = tile % tiles_per_segment() * kTile;
    return rows - first < kTile ? rows - first : kTile;
  }
  // The offset at which a tile of a block begins.
  LYCEUM_INLINE int64_t offset(int64_t tile, int64_t block) const {
    return tile / tiles_per_segment() * segment_stride +
           tile % tiles_per_segment() * kTile * row_stride + block * block_stride;
  }
  LYCEUM_INLINE int64_t lanes(int64_t block) const {
    const int64_t left = channels - block * kLanes;
    return left < kLanes ? left : kLanes;
  }
};

}  // namespace lyceum
