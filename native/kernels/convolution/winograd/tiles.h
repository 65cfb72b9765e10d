// Tiles of 4x4 pixels, and reading them into frequencies.
#pragma once

#include <immintrin.h>

#include "kernels/convolution/winograd/transforms.h"
#include "kernels/convolution/winograd/kernels.h"

namespace lyceum::winograd {

struct Tile {
  // From the start of the first block of channels to the tile's first pixel.
  int64_t offset;
  int64_t row_stride;
  // The tile's first pixel, and how many pixels there are from it to the far edges.
  int64_t row, column, rows, columns;
  // Whether the 6x6 pixels around it are inside too.
  bool inner;
};

// Tiles one after the other, row by row and image by image, without a division for each.
class Walk {
 public:
  Walk(const Shape& shape, int64_t first, int64_t channels) : shape_(shape) {
    const int64_t wide = shape.tiles_wide(), tiles = wide * shape.tiles_high();
    image_size_ = channels * shape.height * shape.width;
    image_ = first / tiles * image_size_;
    row_ = first % tiles / wide * 4;
    column_ = first % wide * 4;
  }

  Tile next() {
    Tile tile;
    tile.row = row_;
    tile.column = column_;
    tile.row_stride = shape_.width * kLanes;
    tile.offset = image_ + row_ * tile.row_stride + column_ * kLanes;
    tile.rows = shape_.height - row_;
    tile.columns = shape_.width - column_;
    tile.inner = row_ > 0 && column_ > 0 && tile.rows > 4 && tile.columns > 4;
    column_ += 4;
    if (column_ >= shape_.width) {
      column_ = 0;
      row_ += 4;
      if (row_ >= shape_.height) {
        row_ = 0;
        image_ += image_size_;
      }
    }
    return tile;
  }

 private:
  const Shape& shape_;
  int64_t image_size_, image_, row_, column_;
};

// The next tiles, of a group or as many as are left; returns how many.
template <class Group>
int64_t next_tiles(Walk& walk, int64_t left, Tile* tiles) {
  const int64_t count = left < Group::tiles ? left : Group::tiles;
  for (int64_t t = 0; t < count; t++) tiles[t] = walk.next();
  return count;
}

// Of the six pixels around four in a line, those that are inside.
inline unsigned inside(int64_t first, int64_t left) {
  return (left >= 5 ? 0x3fu : (2u << left) - 1) & (first == 0 ? ~1u : ~0u);
}

// Pixels of a tile and around it, one register each. Those outside are zero and are not read.
template <bool kInside>
struct Pixels {
  const float* from;
  int64_t row_stride;
  // A bit for each row and column that is inside.
  unsigned rows, columns;

  LYCEUM_INLINE Vector at(int64_t i, int64_t j) const {
    const float* place = from + i * row_stride + j * kLanes;
    if constexpr (kInside) return load(place);
    const auto mask = static_cast<__mmask16>(-(rows >> i & columns >> j & 1));
    return reinterpret_cast<Vector>(_mm512_maskz_loadu_ps(mask, place));
  }
};

// The first, or the last, three columns of frequencies: so that all of them stay in registers between the two passes.
template <class Group, bool kLast, bool kInside>
LYCEUM_INLINE void read_input_half(const Pixels<kInside>& d, float* v) {
  Vector lines[3][6];
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) {
    const Vector d1 = d.at(i, 1), d2 = d.at(i, 2), d3 = d.at(i, 3), d4 = d.at(i, 4);
    if constexpr (kLast) {
      const Vector even_a = d4 - kA2 * d2, odd_a = d3 - kA2 * d1;
      lines[0][i] = even_a + kB * odd_a;
      lines[1][i] = even_a - kB * odd_a;
      lines[2][i] = d.at(i, 5) - kB2 * d3 - kA2 * (d3 - kB2 * d1);
    } else {
      const Vector even_b = d4 - kB2 * d2, odd_b = d3 - kB2 * d1;
      lines[0][i] = even_b - kA2 * (d2 - kB2 * d.at(i, 0));
      lines[1][i] = even_b + kA * odd_b;
      lines[2][i] = even_b - kA * odd_b;
    }
  }
#pragma GCC unroll 3
  for (int j = 0; j < 3; j++) {
    Vector line[6];
    input_line(lines[j][0], lines[j][1], lines[j][2], lines[j][3], lines[j][4], lines[j][5], line);
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) store(v + (6 * i + j + (kLast ? 3 : 0)) * Group::frequency, line[i]);
  }
}

// Sixteen channels of the 6x6 pixels around a tile to frequencies.
template <class Group>
LYCEUM_INLINE void read_input_tile(const float* x, const Tile& tile, float* v) {
  const float* from = x + tile.offset - tile.row_stride - kLanes;
  if (tile.inner) {
    const Pixels<true> pixels{from, tile.row_stride, 0, 0};
    read_input_half<Group, false>(pixels, v);
    read_input_half<Group, true>(pixels, v);
  } else {
    const Pixels<false> pixels{from, tile.row_stride, inside(tile.row, tile.rows), inside(tile.column, tile.columns)};
    read_input_half<Group, false>(pixels, v);
    read_input_half<Group, true>(pixels, v);
  }
}

template <class Group, bool kInside>
LYCEUM_INLINE void read_gradient(const Pixels<kInside>& dy, float* w) {
  Vector lines[6][4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    Vector line[6];
    gradient_line(dy.at(i, 0), dy.at(i, 1), dy.at(i, 2), dy.at(i, 3), line);
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) lines[j][i] = line[j];
  }
#pragma GCC unroll 6
  for (int j = 0; j < 6; j++) {
    Vector line[6];
    gradient_line(lines[j][0], lines[j][1], lines[j][2], lines[j][3], line);
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) store(w + (6 * i + j) * Group::frequency, line[i]);
  }
}

// Sixteen channels of the result's gradient, zero outside, to frequencies.
template <class Group>
LYCEUM_INLINE void read_gradient_tile(const float* dy, const Tile& tile, float* w) {
  const float* from = dy + tile.offset;
  if (tile.rows >= 4 && tile.columns >= 4) {
    read_gradient<Group>(Pixels<true>{from, tile.row_stride, 0, 0}, w);
  } else {
    // The pixel before is not looked at here.
    read_gradient<Group>(Pixels<false>{from, tile.row_stride, inside(1, tile.rows) >> 1, inside(1, tile.columns) >> 1}, w);
  }
}

}  // namespace lyceum::winograd
