// Convolution of tensors by whichever kernels serve: Lyceum's own by Winograd's algorithm, or oneDNN's.
//
// Activations are float32 or bfloat16, channels-last or blocked (kernels/channels.h), weights float32 [K, C, h, w]. All
// functions throw c10::Error for tensors that do not fit.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <vector>

#include "kernels/convolution/shape.h"
#include "kernels/convolution/through.h"

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

// The same of relu(first(images)), 3x3, of [N, C, H, W] in channels-last; its result is in blocks.
at::Tensor convolve_stage(const at::Tensor& images, const Filters& first,
                          const std::vector<std::array<Filters, 2>>& blocks, const Window& window);

struct ConvolutionGradients {
  at::Tensor x, weight, bias;
};

// A convolution without bias that takes a few images at a time, with something done to them before and after.
class ThroughConvolution {
 public:
  // Of an x of this shape; nothing where it would not pay or cannot be.
  static c10::optional<ThroughConvolution> of(const at::Tensor& like_x, const at::Tensor& weight, const Window& window);

  // Sums over all images are summed in so many parts.
  int64_t parts() const;
  at::Tensor empty_result() const;
  // Where `x` is undefined, `through` writes it.
  void forward(const at::Tensor& x, const at::Tensor& y, const Through& through) const;
  // Writes x's gradient to `dx`, or adds it to what is there; returns the weight's.
  at::Tensor backward(const at::Tensor& x, const at::Tensor& dx, bool sum, const BackwardThrough& through) const;

 private:
  ThroughConvolution(const ConvolutionShape& shape, const at::Tensor& weight, const at::TensorOptions& options)
      : shape_(shape), weight_(weight), options_(options) {}

  ConvolutionShape shape_;
  at::Tensor weight_;
  at::TensorOptions options_;
};

// Those of x, weight and bias that are wanted. `x` is in order (in_order). Where `sum` is defined, x's gradient is added
// to it, in place.
ConvolutionGradients convolve_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                       const Window& window, const std::array<bool, 3>& wanted,
                                       const at::Tensor& sum = {});

}  // namespace lyceum
