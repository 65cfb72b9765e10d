// How the channels of a tensor lie in memory (kernels/isa/channels.h).
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/isa/channels.h"

namespace lyceum {

inline bool is_blocked(const at::Tensor& x) { return x.dim() == 5 && x.size(4) == kLanes; }

inline int64_t channels_of(const at::Tensor& x) {
  return is_blocked(x) ? x.size(1) * kLanes : x.size(1);
}

inline at::MemoryFormat order_of(const at::Tensor& x) {
  return is_blocked(x) ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
}

// The tensor itself where it lies as the loops want it, else a copy that does.
inline at::Tensor in_order(const at::Tensor& x) { return x.contiguous(order_of(x)); }

// The channels of a tensor that is `in_order`.
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
