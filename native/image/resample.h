// Resizes an image of bytes while it is decoded, row after row: bilinear with antialiasing, as
// PIL's Image.resize (Pillow 9.4) computes it, to the bit. Columns are resized first, then rows,
// and both results are rounded to bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "image/view.h"
#include "kernels/isa/resample.h"

namespace lyceum::image {

// The weights of the pixels of a side. Pixel i of the result is the sum of `counts[i]` pixels of
// the image from `starts[i]` on, by `pairs[i]` pairs of `values`, which stand there one after the
// other.
struct Weights {
  void find(const Axis& axis);
  // Puts the pixels of the result into the opposite order.
  void reverse();
  // Puts the pairs into groups, as `across` takes them, for a number of pixels that is a multiple
  // of kGroup; those that are too many repeat the last one.
  void group(int64_t pixels);
  void shrink();

  std::vector<int32_t> starts, counts, pairs;
  std::vector<resample::PairOfWeights> values, grouped;
  // The pixels that count at all, from the axis's origin on: starts are counted from `low`.
  int64_t low = 0, high = 0;
  int64_t most_pairs = 0;
  // What RowWeights says of groups.
  int64_t widest = 0;

 private:
  std::vector<double> factors_;
};

class Resampler {
 public:
  // Prepares to make the pixels of a view's two axes out of rows that are pushed. Rows of the view
  // are `width` bytes long in `to`, and its three planes `plane` bytes apart; nothing is written
  // where the axes leave a margin. `mirrored` is from left to right.
  void begin(const Axis& rows, const Axis& columns, uint8_t* to, int64_t width, int64_t plane,
             bool mirrored);

  // The rows to push, and the columns that they are to hold.
  const Box& needed() const { return needed_; }

  // Takes the next rows, `stride` bytes apart, of pixels of four bytes (red, green, blue, any). Up
  // to resample::kReadBeyond bytes behind a row are read. No memory is allocated.
  void push(const uint8_t* rows, int64_t stride, int64_t count);

  // Gives back memory that only an unusual image needed.
  void shrink();

 private:
  uint8_t* ring_row(int64_t row) { return ring_.data() + (row % ring_rows_) * 3 * plane_; }
  void make_rows();

  Box needed_{0, 0, 0, 0};
  Weights rows_, columns_;
  // The last rows that were pushed, with columns resized, in three planes each. One more row takes
  // what is pushed but needed by no row of the view.
  std::vector<uint8_t> ring_;
  std::vector<const uint8_t*> taps_;
  int64_t ring_rows_ = 0, plane_ = 0;
  int64_t pushed_ = 0, made_ = 0;
  const resample::PairOfWeights* next_weights_ = nullptr;
  uint8_t* to_ = nullptr;
  int64_t to_width_ = 0, to_plane_ = 0, count_ = 0;
};

}  // namespace lyceum::image
