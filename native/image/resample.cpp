#include "image/resample.h"

#include <algorithm>
#include <cmath>

#include "kernels/isa.h"

namespace lyceum::image {
namespace {

constexpr size_t kKept = size_t(1) << 20;

template <class T>
void give_back(std::vector<T>& memory) {
  if (memory.capacity() * sizeof(T) > kKept) std::vector<T>().swap(memory);
}

}  // namespace

// What a pixel of the result is made of: a triangle over the pixels around its centre, as wide as
// two pixels of the result, or of the image where that is larger.
void Weights::find(const Axis& axis) {
  const double scale = axis.size / double(axis.out);
  const double support = std::max(scale, 1.0), narrowing = 1.0 / support;
  starts.resize(axis.count);
  counts.resize(axis.count);
  pairs.resize(axis.count);
  const auto most_counted = std::min(axis.in, int64_t(2 * support) + 2);
  factors_.resize(most_counted);
  values.assign(axis.count * ((most_counted + 1) / 2), {{0, 0}, {0, 0}});
  resample::PairOfWeights* value = values.data();
  low = axis.in;
  high = 0;
  most_pairs = 0;
  for (int64_t i = 0; i < axis.count; i++) {
    const double centre = axis.from + (double(axis.first + i) + 0.5) * scale;
    const int64_t start = std::max<int64_t>(0, int64_t(centre - support + 0.5));
    const int64_t end = std::min(axis.in, int64_t(centre + support + 0.5));
    // Rounding of a box that is shrunk may leave nothing at the image's end.
    const int64_t first = std::min(start, axis.in - 1), count = std::max<int64_t>(1, end - first);
    double sum = 0;
    for (int64_t k = 0; k < count; k++) {
      const double distance = std::abs((double(k + first) - centre + 0.5) * narrowing);
      factors_[k] = distance < 1.0 ? 1.0 - distance : 0.0;
      sum += factors_[k];
    }
    for (int64_t k = 0; k < count; k++) {
      const double factor = sum != 0.0 ? factors_[k] / sum : (k == 0 ? 1.0 : 0.0);
      const auto weight = int32_t(0.5 + factor * double(1 << resample::kPrecision));
      value[k / 2].upper[k % 2] = int16_t(weight >> 8);
      value[k / 2].lower[k % 2] = int16_t(weight & 255);
    }
    starts[i] = int32_t(first);
    counts[i] = int32_t(count);
    pairs[i] = int32_t((count + 1) / 2);
    value += pairs[i];
    low = std::min(low, first);
    high = std::max(high, first + count);
    most_pairs = std::max<int64_t>(most_pairs, pairs[i]);
  }
  values.resize(value - values.data());
  for (int32_t& start : starts) start -= int32_t(low);
}

void Weights::reverse() {
  std::reverse(starts.begin(), starts.end());
  std::reverse(counts.begin(), counts.end());
  // Pairs keep their order within a pixel: all are reversed, and then each pixel's are once more.
  std::reverse(values.begin(), values.end());
  std::reverse(pairs.begin(), pairs.end());
  auto from = values.begin();
  for (const int32_t own : pairs) {
    std::reverse(from, from + own);
    from += own;
  }
}

void Weights::group(int64_t pixels) {
  const auto own = int64_t(starts.size());
  starts.resize(pixels, starts.back());
  pairs.resize(pixels, most_pairs == 1 ? 1 : 0);
  grouped.assign(pixels * most_pairs, {{0, 0}, {0, 0}});
  const resample::PairOfWeights* value = values.data();
  for (int64_t i = 0; i < own; i++) {
    constexpr int64_t kGroup = resample::kGroup;
    resample::PairOfWeights* to = grouped.data() + i / kGroup * kGroup * most_pairs + i % kGroup;
    for (int64_t pair = 0; pair < pairs[i]; pair++, to += kGroup) *to = *value++;
  }
  widest = 0;
  for (int64_t i = 0; i < pixels; i += resample::kGroup) {
    const int64_t span = std::abs(starts[i + resample::kGroup - 1] - starts[i]);
    widest = std::max(widest, span + 2 * most_pairs);
  }
}

void Weights::shrink() {
  give_back(values);
  give_back(grouped);
  give_back(factors_);
}

void Resampler::begin(const Axis& rows, const Axis& columns, uint8_t* to, int64_t width,
                      int64_t plane, bool mirrored) {
  rows_.find(rows);
  columns_.find(columns);
  if (mirrored) columns_.reverse();
  needed_ = {rows.origin + rows_.low, columns.origin + columns_.low, rows_.high - rows_.low,
             columns_.high - columns_.low};
  plane_ = (columns.count + 7) / 8 * 8;
  columns_.group(plane_);
  // Two rows are pushed at a time.
  ring_rows_ = 2 * rows_.most_pairs + 2;
  const int64_t bytes = (ring_rows_ + 1) * 3 * plane_;
  if (int64_t(ring_.size()) < bytes) ring_.resize(bytes);
  taps_.resize(2 * rows_.most_pairs);
  pushed_ = made_ = 0;
  next_weights_ = rows_.values.data();
  const int64_t left = mirrored ? width - columns.at - columns.count : columns.at;
  to_ = to + rows.at * width + left;
  to_width_ = width;
  to_plane_ = plane;
  count_ = columns.count;
}

void Resampler::push(const uint8_t* rows, int64_t stride, int64_t count) {
  const resample::RowWeights weights{columns_.starts.data(),  columns_.pairs.data(),
                                     columns_.grouped.data(), plane_,
                                     columns_.most_pairs,     columns_.widest};
  for (int64_t i = 0; i < count; i += 2) {
    const bool two = i + 1 < count;
    const uint8_t* const from[2] = {rows + i * stride, rows + (two ? i + 1 : i) * stride};
    uint8_t* const nothing = ring_.data() + ring_rows_ * 3 * plane_;
    uint8_t* const to[2] = {ring_row(pushed_), two ? ring_row(pushed_ + 1) : nothing};
    kernels().resample.across(weights, from, to, plane_);
    pushed_ += two ? 2 : 1;
    make_rows();
  }
}

void Resampler::make_rows() {
  const int64_t rows = int64_t(rows_.starts.size());
  for (; made_ < rows; made_++) {
    const int64_t start = rows_.starts[made_], count = rows_.counts[made_];
    const int64_t pairs = rows_.pairs[made_];
    if (start + count > pushed_) return;
    for (int64_t c = 0; c < 3; c++) {
      // The second of a last pair may have no row of its own, and no weight.
      for (int64_t k = 0; k < 2 * pairs; k++) {
        taps_[k] = ring_row(start + std::min(k, count - 1)) + c * plane_;
      }
      kernels().resample.down(taps_.data(), next_weights_, pairs, count_,
                              to_ + c * to_plane_ + made_ * to_width_);
    }
    next_weights_ += pairs;
  }
}

void Resampler::shrink() {
  rows_.shrink();
  columns_.shrink();
  give_back(ring_);
  give_back(taps_);
}

}  // namespace lyceum::image
