// How the channels of an activation lie in memory, in blocks of sixteen.
#pragma once

#include <ATen/ATen.h>

#include "kernels/vector.h"

namespace lyceum {

// Two layouts are one to the loops: segments of rows (pixels), and in a row blocks of up to sixteen channels.
//   channels-last  [N, C, H, W] as N·H·W rows of C          one segment, blocks beside each other
//   blocked        [N, C/16, H, W, 16] as it stands         N segments of H·W rows, a block after the other's rows
struct Channels {
  int64_t channels = 0;
  int64_t blocks = 0;
  int64_t segments = 0;
  int64_t rows = 0;
  // Floats from one to the next.
  int64_t segment_stride = 0;
  int64_t block_stride = 0;
  int64_t row_stride = 0;

  // Rows that stay in the first-level cache while they are gone over more than once.
  static constexpr int64_t kTile = 64;

  int64_t tiles_per_segment() const { return (rows + kTile - 1) / kTile; }
  int64_t tiles() const { return segments * tiles_per_segment(); }
  int64_t rows_of(int64_t tile) const {
    const int64_t first = tile % tiles_per_segment() * kTile;
    return rows - first < kTile ? rows - first : kTile;
  }
  // Where a tile of a block begins.
  int64_t offset(int64_t tile, int64_t block) const {
    return tile / tiles_per_segment() * segment_stride + tile % tiles_per_segment() * kTile * row_stride +
           block * block_stride;
  }
  int64_t lanes(int64_t block) const {
    const int64_t left = channels - block * kLanes;
    return left < kLanes ? left : kLanes;
  }
};

inline bool is_blocked(const at::Tensor& x) { return x.dim() == 5 && x.size(4) == kLanes; }

inline int64_t channels_of(const at::Tensor& x) { return is_blocked(x) ? x.size(1) * kLanes : x.size(1); }

inline at::MemoryFormat order_of(const at::Tensor& x) {
  return is_blocked(x) ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
}

// The tensor itself where it lies as the loops want it, else a copy that does.
inline at::Tensor in_order(const at::Tensor& x) { return x.contiguous(order_of(x)); }

// Of a tensor that is `in_order`.
inline Channels channels_in(const at::Tensor& x) {
  Channels c;
  c.channels = channels_of(x);
  c.blocks = (c.channels + kLanes - 1) / kLanes;
  const int64_t pixels = x.size(2) * x.size(3);
  if (is_blocked(x)) {
    c.segments = x.size(0);
    c.rows = pixels;
    c.segment_stride = c.channels * pixels;
    c.block_stride = kLanes * pixels;
    c.row_stride = kLanes;
  } else {
    c.segments = 1;
    c.rows = x.size(0) * pixels;
    c.block_stride = kLanes;
    c.row_stride = c.channels;
  }
  return c;
}

}  // namespace lyceum
