// Convolution of tensors by whichever kernels serve: Lyceum's own by Winograd's algorithm, or oneDNN's.
//
// Activations are float32 or bfloat16, channels-last or blocked (kernels/channels.h), weights float32 [K, C, h, w]. All
// functions throw c10::Error for tensors that do not fit.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <vector>

namespace lyceum {

struct Window {
  at::IntArrayRef stride, padding;
  // May round more coarsely than the definition does, for speed.
  bool coarse;
};

// What comes after a convolution, in the same pass over memory.
struct AfterConvolution {
  // Where the sum goes, laid out as the result is; may be undefined.
  at::Tensor sum;
  bool relu = false;
  // The weight is used again as it is, and what kernels make of it is kept.
  bool frozen = false;
};

// `bias` may be undefined.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Window& window,
                    const AfterConvolution& after = {});

struct Filters {
  at::Tensor weight, bias;
};

// For one pair of filters after the other: x = relu(second(relu(first(x))) + x), in place, of as many channels as x has.
// Of frozen networks, without gradient.
void convolve_blocks(at::Tensor& x, const std::vector<std::array<Filters, 2>>& blocks, const Window& window);

struct ConvolutionGradients {
  at::Tensor x, weight, bias;
};

// Those of x, weight and bias that are wanted. `x` is in order (in_order). Where `sum` is defined, x's gradient is added
// to it, in place.
ConvolutionGradients convolve_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                       const Window& window, const std::array<bool, 3>& wanted,
                                       const at::Tensor& sum = {});

}  // namespace lyceum
