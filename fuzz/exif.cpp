// Any bytes as the content of an APP1 marker, and turns of the orientation that it names.
#include <vector>

#include "image/orientation.h"
#include "input.h"

using namespace lyceum::image;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const int64_t width = input.between(1, 9), height = input.between(1, 9);
  const std::vector<uint8_t> marker(input.rest(), input.rest() + input.rest_size());
  const int64_t orientation = orientation_in(marker.data(), int64_t(marker.size()));
  fuzz::check(orientation >= 1 && orientation <= 8);

  const Turn turn(orientation);
  const int64_t seen_height = turn.transposed ? width : height;
  const int64_t seen_width = turn.transposed ? height : width;
  const Box all{0, 0, seen_height, seen_width};
  const Box stored = turn.stored(all, seen_height, seen_width);
  fuzz::check(stored.top == 0 && stored.left == 0 && stored.height == height &&
              stored.width == width);
  // Every stored pixel is seen once.
  std::vector<uint8_t> pixels(4 * height * width), row(4 * seen_width);
  for (size_t i = 0; i < pixels.size(); i++) pixels[i] = uint8_t(i / 4);
  std::vector<int> seen(height * width, 0);
  for (int64_t y = 0; y < seen_height; y++) {
    copy_seen_row(turn, pixels.data(), height, width, y, row.data());
    for (int64_t x = 0; x < seen_width; x++) seen[row[4 * x]]++;
  }
  for (const int count : seen) fuzz::check(count == 1);
  return 0;
}
