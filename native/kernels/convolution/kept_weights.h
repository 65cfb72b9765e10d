// Weights that kernels have prepared, kept from call to call for weights that stay as they are, as
// a frozen network's do.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "kernels/convolution/shape.h"

namespace lyceum {

// The weight as `make` prepares it in this layout; or as it did in an earlier call, where nobody
// has written to the weight since. Of each weight the last layout is kept as long as it lives.
// Throws what `make` throws.
at::Tensor kept_weights(const at::Tensor& weight, const Layout& layout,
                        const std::function<void(float*)>& make);

}  // namespace lyceum
