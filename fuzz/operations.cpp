// The operations on images of bytes, with any magnitude that the operator lets pass.
#include <vector>

#include "kernels/image_operations.h"
#include "input.h"

using namespace lyceum;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const auto operation = ImageOperation(input.between(0, kImageOperations - 1));
  const int64_t channels = input.byte() % 2 == 0 ? 3 : 1;
  const ImageShape shape{channels, input.between(1, 24), input.between(1, 24)};
  const double scale = input.byte() % 2 == 0 ? kLargestMagnitude : 10;
  const double magnitude = scale * (2 * input.fraction() - 1);
  std::vector<uint8_t> from(channels * shape.height * shape.width), to(from.size());
  for (size_t i = 0; i < from.size(); i++) {
    const int64_t rest = input.rest_size();
    from[i] = rest > 0 ? input.rest()[i % rest] : 9;
  }
  apply_operation(operation, magnitude, shape, from.data(), to.data());
  return 0;
}
