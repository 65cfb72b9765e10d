// What kernels make of weights that stay as they are from call to call, as a frozen network's do.
#pragma once

#include <ATen/ATen.h>

#include <functional>

namespace lyceum {

// `size` floats that `make` has made of the weight: in an earlier call, where the weight is the same and nobody has
// written to it since. Kept while the weight lives. Throws what `make` throws.
at::Tensor kept_weights(const at::Tensor& weight, int64_t size, const std::function<void(float*)>& make);

}  // namespace lyceum
