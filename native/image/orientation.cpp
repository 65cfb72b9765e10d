#include "image/orientation.h"

#include <cstring>

namespace lyceum::image {
namespace {

// Numbers of a TIFF directory, in the byte order that it names.
class Numbers {
 public:
  Numbers(const uint8_t* data, int64_t size, bool big) : data_(data), size_(size), big_(big) {}

  // -1 where they lie outside.
  int64_t two(int64_t at) const { return number(at, 2); }
  int64_t four(int64_t at) const { return number(at, 4); }

 private:
  int64_t number(int64_t at, int64_t bytes) const {
    if (at < 0 || at + bytes > size_) return -1;
    int64_t value = 0;
    for (int64_t i = 0; i < bytes; i++) {
      value = value << 8 | data_[at + (big_ ? i : bytes - 1 - i)];
    }
    return value;
  }

  const uint8_t* data_;
  int64_t size_;
  bool big_;
};

}  // namespace

int64_t orientation_in(const uint8_t* marker, int64_t size) {
  constexpr int64_t kHeader = 6;
  if (size < kHeader + 8 || std::memcmp(marker, "Exif\0\0", kHeader) != 0) return 1;
  const uint8_t* tiff = marker + kHeader;
  const bool big = tiff[0] == 'M' && tiff[1] == 'M';
  if (!big && !(tiff[0] == 'I' && tiff[1] == 'I')) return 1;
  const Numbers numbers(tiff, size - kHeader, big);
  if (numbers.two(2) != 42) return 1;
  const int64_t directory = numbers.four(4);
  const int64_t entries = numbers.two(directory);
  for (int64_t i = 0; i < entries; i++) {
    const int64_t entry = directory + 2 + 12 * i;
    const int64_t tag = numbers.two(entry);
    if (tag < 0) return 1;
    if (tag != 0x0112) continue;
    constexpr int64_t kShort = 3;
    const int64_t value = numbers.two(entry + 8);
    const bool known = numbers.two(entry + 2) == kShort && value >= 1 && value <= 8;
    return known ? value : 1;
  }
  return 1;
}

Box Turn::stored(const Box& box, int64_t height, int64_t width) const {
  const int64_t top = mirrors_rows() ? height - box.top - box.height : box.top;
  const int64_t left = mirrors_columns() ? width - box.left - box.width : box.left;
  if (transposed) return {left, top, box.width, box.height};
  return {top, left, box.height, box.width};
}

void copy_seen_row(const Turn& turn, const uint8_t* stored, int64_t height, int64_t width,
                   int64_t row, uint8_t* to) {
  const int64_t count = turn.transposed ? height : width;
  // Bytes from one pixel that is seen to the next.
  int64_t step = turn.transposed ? 4 * width : 4;
  int64_t y = turn.transposed ? 0 : row, x = turn.transposed ? row : 0;
  if (turn.from_bottom) y = height - 1 - y;
  if (turn.from_right) x = width - 1 - x;
  if (turn.mirrors_columns()) step = -step;
  const uint8_t* from = stored + 4 * (y * width + x);
  for (int64_t i = 0; i < count; i++) std::memcpy(to + 4 * i, from + i * step, 4);
}

}  // namespace lyceum::image
