// The implementations of convolution. The first in the list that suits a shape serves it.
#pragma once

#include "kernels/convolution/shape.h"

namespace lyceum {

enum class Pass { kForward, kBackwardData, kBackwardWeights };

// Its functions throw what their library throws.
struct Implementation {
  bool (*suits)(const ConvolutionShape& shape, Pass pass);
  // How frozen weights lie that were prepared for it, which `pack` writes; of size 0 where it takes
  // them as they are.
  Layout (*packed_layout)(const ConvolutionShape& shape);
  void (*pack)(const ConvolutionShape& shape, const void* weight, float* packed);
  void (*convolve)(const ConvolutionShape& shape, const ForwardMemory& memory);
  void (*convolve_backward_data)(const ConvolutionShape& shape, const BackwardDataMemory& memory);
  void (*convolve_backward_weights)(const ConvolutionShape& shape,
                                    const BackwardWeightsMemory& memory);
  // Whether convolve_backward_data heeds the shape's `sum`.
  bool (*adds_to_gradient)(const ConvolutionShape& shape);
};

const Implementation& implementation_for(const ConvolutionShape& shape, Pass pass);

namespace winograd {
// Lyceum's own kernels (kernels/isa/winograd/).
extern const Implementation implementation;
}  // namespace winograd

namespace onednn {
// oneDNN's primitives, prepared once for each shape and kept, which ATen makes anew at every call.
// A build without oneDNN's headers of version 2 does not have it.
extern const Implementation implementation;
}  // namespace onednn

namespace libtorch {
// ATen's convolution, which serves every shape.
extern const Implementation implementation;
}  // namespace libtorch

}  // namespace lyceum
