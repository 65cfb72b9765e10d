// The parameter-free shortcut of residual networks (He et al. 2016, section 4.1, "option A"): every
// stride-th pixel of an activation, with channels of zeros on both sides. In blocks of channels
// (channels.h), float32.
#pragma once

#include <ATen/core/Tensor.h>

namespace lyceum {

// Throws c10::Error for an x that lies otherwise, or channels that are fewer than its own or no
// multiple of sixteen.
at::Tensor option_a_shortcut(const at::Tensor& x, int64_t channels, int64_t stride);

// Adds the gradient of x to `dx`, of the shortcut's `dy`: of x's shape and of a shortcut's of such
// an x, contiguous.
void add_option_a_gradient(const at::Tensor& dy, int64_t stride, const at::Tensor& dx);

}  // namespace lyceum
