#include "image/boxes.h"

#include <algorithm>
#include <cmath>

namespace lyceum::image {
namespace {

// Random numbers that are a function of a key and of how many were drawn: SplitMix64 (Steele, Lea
// and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
class Draws {
 public:
  explicit Draws(uint64_t key) : state_(key) {}

  // At least `low` and less than `high`.
  double uniform(double low, double high) {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t word = state_;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    word ^= word >> 31;
    return low + (high - low) * (double(word >> 11) * 0x1p-53);
  }

  // 0 to count - 1.
  int64_t below(int64_t count) {
    return std::min(count - 1, int64_t(uniform(0, 1) * double(count)));
  }

 private:
  uint64_t state_;
};

// Rounds halves to even, as Python's round.
int64_t rounded(double value) { return int64_t(std::nearbyint(value)); }

// The largest box of an allowed shape, in the middle.
Box central_box(const BoxRange& range, int64_t height, int64_t width) {
  const double ratio = double(width) / double(height);
  int64_t tall = height, wide = width;
  if (ratio < range.least_ratio) tall = rounded(double(width) / range.least_ratio);
  if (ratio > range.greatest_ratio) wide = rounded(double(height) * range.greatest_ratio);
  tall = std::clamp<int64_t>(tall, 1, height);
  wide = std::clamp<int64_t>(wide, 1, width);
  return {(height - tall) / 2, (width - wide) / 2, tall, wide};
}

}  // namespace

Box draw_box(const BoxRange& range, uint64_t key, int64_t height, int64_t width) {
  constexpr int kAttempts = 10;
  const double area = double(height) * double(width);
  const double least = std::log(range.least_ratio), greatest = std::log(range.greatest_ratio);
  Draws draws(key);
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    const double wanted = area * draws.uniform(range.least_area, range.greatest_area);
    const double ratio = std::exp(draws.uniform(least, greatest));
    // Ratios may be such that these are no whole numbers of 64 bits.
    const double wide = std::nearbyint(std::sqrt(wanted * ratio));
    const double tall = std::nearbyint(std::sqrt(wanted / ratio));
    const bool fits = wide >= 1 && wide <= double(width) && tall >= 1 && tall <= double(height);
    if (!fits) continue;
    const int64_t top = draws.below(height - int64_t(tall) + 1);
    const int64_t left = draws.below(width - int64_t(wide) + 1);
    return {top, left, int64_t(tall), int64_t(wide)};
  }
  return central_box(range, height, width);
}

}  // namespace lyceum::image
