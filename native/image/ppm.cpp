#include "image/ppm.h"

namespace lyceum::image {
namespace {

constexpr Ppm kNone{0, 0, nullptr};

// Numbers of text, each behind one white space.
class Reader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}

  bool skip(char expected) {
    if (at_ >= bytes_.size || bytes_.data[at_] != uint8_t(expected)) return false;
    at_++;
    return true;
  }

  bool skip_space() { return skip(' ') || skip('\n'); }

  // 1 to 9,999,999; 0 where there is no such number.
  int64_t number() {
    int64_t value = 0;
    for (int digits = 0; at_ < bytes_.size; digits++, at_++) {
      const uint8_t digit = bytes_.data[at_];
      if (digit < '0' || digit > '9') break;
      if (digits == 7) return 0;
      value = 10 * value + (digit - '0');
    }
    return value;
  }

  int64_t at() const { return at_; }

 private:
  Bytes bytes_;
  int64_t at_ = 0;
};

}  // namespace

Ppm ppm_in(const Bytes& bytes) {
  Reader reader(bytes);
  if (!reader.skip('P') || !reader.skip('6') || !reader.skip_space()) return kNone;
  const int64_t width = reader.number();
  if (width == 0 || !reader.skip_space()) return kNone;
  const int64_t height = reader.number();
  if (height == 0 || !reader.skip_space()) return kNone;
  if (reader.number() != 255 || !reader.skip_space()) return kNone;
  if (bytes.size - reader.at() != 3 * width * height) return kNone;
  return {width, height, bytes.data + reader.at()};
}

std::string ppm_header(int64_t height, int64_t width) {
  return "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
}

}  // namespace lyceum::image
