#include "kernels/convolution/implementations.h"

#include <initializer_list>

namespace lyceum {

const Implementation& implementation_for(const ConvolutionShape& shape, Pass pass) {
  for (const Implementation* one : {
           &winograd::implementation,
#ifdef LYCEUM_ONEDNN
           &onednn::implementation,
#endif
       }) {
    if (one->suits(shape, pass)) return *one;
  }
  return libtorch::implementation;
}

}  // namespace lyceum
