// Convolution of tensors by whichever implementation serves (implementations.h).
//
// Activations are float32 or bfloat16, channels-last or blocked (kernels/channels.h), weights
// float32 [K, C, h, w]. All functions throw c10::Error for tensors that do not fit.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <vector>

#include "kernels/convolution/shape.h"
#include "kernels/convolution/streamed.h"

namespace lyceum {

struct Window {
  at::IntArrayRef stride, padding;
  // Winograd's algorithm may be used, whose rounding errors are larger than the definition's.
  bool allow_winograd;
};

// What comes after a convolution, in the same pass over memory.
struct AfterConvolution {
  // A tensor to which the result is added, in place, laid out as the result is; may be undefined.
  at::Tensor sum;
  bool relu = false;
  // The weight will be used again as it is, so that what kernels make of it is kept.
  bool frozen = false;
};

// `bias` may be undefined.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const Window& window, const AfterConvolution& after = {});

struct Filters {
  at::Tensor weight, bias;
};

// For one pair of filters after the other: y = relu(second(relu(first(x))) + x), which is the next
// pair's x. `y` is of x's shape and order, and may be x itself. Of frozen networks, without
// gradient.
void convolve_blocks(const at::Tensor& x, const at::Tensor& y,
                     const std::vector<std::array<Filters, 2>>& blocks, const Window& window);

// The same of x = relu(first(images)), 3x3, of [N, C, H, W] in channels-last; the result is in
// blocks.
at::Tensor convolve_stage(const at::Tensor& images, const Filters& first,
                          const std::vector<std::array<Filters, 2>>& blocks, const Window& window);

struct ConvolutionGradients {
  at::Tensor x, weight, bias;
};

// A convolution without bias that takes a few images at a time, with something done to them before
// and after.
class StreamedConvolution {
 public:
  // For an x of this shape; nothing where it would not pay or cannot be.
  static std::optional<StreamedConvolution> of(const at::Tensor& like_x, const at::Tensor& weight,
                                               const Window& window);

  // The number of parts in which sums over all images are taken.
  int64_t parts() const;
  at::Tensor empty_result() const;
  // Where `x` is undefined, `around.before` writes it.
  void forward(const at::Tensor& x, const at::Tensor& y, const AroundForward& around) const;
  // Writes x's gradient to `dx`, or adds it to what is there; returns the weight's.
  at::Tensor backward(const at::Tensor& x, const at::Tensor& dx, bool sum,
                      const AroundBackward& around) const;

 private:
  StreamedConvolution(const ConvolutionShape& shape, const at::Tensor& weight,
                      const at::TensorOptions& options)
      : shape_(shape), weight_(weight), options_(options) {}

  ConvolutionShape shape_;
  at::Tensor weight_;
  at::TensorOptions options_;
};

// The gradients of those of x, weight and bias that are wanted. `x` is in order (in_order). Where
// `sum` is defined, x's gradient is added to it, in place.
ConvolutionGradients convolve_backward(const at::Tensor& dy, const at::Tensor& x,
                                       const at::Tensor& weight, const Window& window,
                                       const std::array<bool, 3>& wanted,
                                       const at::Tensor& sum = {});

// The same for memory that the caller has, such as some images of larger tensors;
// `empty_convolution` makes such memory, and checks that x and weight fit. All are in order
// (in_order).
at::Tensor empty_convolution(const at::Tensor& x, const at::Tensor& weight, const Window& window);
void convolve_to(const at::Tensor& x, const at::Tensor& weight, const Window& window,
                 const at::Tensor& y);
// Writes x's gradient to `dx`, or adds it to what is there. Of x only the sizes are looked at.
void convolve_backward_to(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                          const Window& window, const at::Tensor& dx, bool sum);

}  // namespace lyceum
