// What kernels make of weights that stay as they are from call to call, as a frozen network's do.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace lyceum {

// How what is made of a weight lies: of one layout there are as many floats, in the same order.
struct Layout {
  int64_t size;
  uint64_t name = 0;
};

// What `make` has made of the weight in this layout: in an earlier call, where the weight is the
// same and nobody has written to it since. The last layout is kept, while the weight lives. Throws
// what `make` throws.
at::Tensor kept_weights(const at::Tensor& weight, const Layout& layout,
                        const std::function<void(float*)>& make);

}  // namespace lyceum
