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

inline Tile tile_at(const Shape& shape, int64_t index, int64_t channels) {
  const int64_t wide = shape.tiles_wide(), high = shape.tiles_high();
  const int64_t image = index / (wide * high), place = index % (wide * high);
  Tile tile;
  tile.row = place / wide * 4;
  tile.column = place % wide * 4;
  tile.row_stride = shape.width * kLanes;
  tile.offset = image * channels * shape.height * shape.width + (tile.row * shape.width + tile.column) * kLanes;
  tile.rows = shape.height - tile.row;
  tile.columns = shape.width - tile.column;
  tile.inner = tile.row > 0 && tile.column > 0 && tile.rows > 4 && tile.columns > 4;
  return tile;
}

// Tiles from `first` on, at most `most` and none from `end` on; returns how many.
inline int64_t find_tiles(const Shape& shape, int64_t first, int64_t end, int64_t most, int64_t channels,
                          Tile* tiles) {
  const int64_t count = end - first < most ? end - first : most;
  for (int64_t t = 0; t < count; t++) tiles[t] = tile_at(shape, first + t, channels);
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
template <bool kLast, bool kInside>
LYCEUM_INLINE void read_input_half(const Pixels<kInside>& d, float* v, int64_t stride) {
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
    for (int i = 0; i < 6; i++) store(v + (6 * i + j + (kLast ? 3 : 0)) * stride, line[i]);
  }
}

// Sixteen channels of the 6x6 pixels around a tile to frequencies `stride` floats apart.
LYCEUM_INLINE void read_input_tile(const float* x, const Tile& tile, float* v, int64_t stride) {
  const float* from = x + tile.offset - tile.row_stride - kLanes;
  if (tile.inner) {
    const Pixels<true> pixels{from, tile.row_stride, 0, 0};
    read_input_half<false>(pixels, v, stride);
    read_input_half<true>(pixels, v, stride);
  } else {
    const Pixels<false> pixels{from, tile.row_stride, inside(tile.row, tile.rows) , inside(tile.column, tile.columns)};
    read_input_half<false>(pixels, v, stride);
    read_input_half<true>(pixels, v, stride);
  }
}

template <bool kInside>
LYCEUM_INLINE void read_gradient(const Pixels<kInside>& dy, float* w, int64_t stride) {
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
    for (int i = 0; i < 6; i++) store(w + (6 * i + j) * stride, line[i]);
  }
}

// Sixteen channels of the result's gradient, zero outside, to frequencies `stride` floats apart.
LYCEUM_INLINE void read_gradient_tile(const float* dy, const Tile& tile, float* w, int64_t stride) {
  const float* from = dy + tile.offset;
  if (tile.rows >= 4 && tile.columns >= 4) {
    read_gradient(Pixels<true>{from, tile.row_stride, 0, 0}, w, stride);
  } else {
    // The pixel before is not looked at here.
    read_gradient(Pixels<false>{from, tile.row_stride, inside(1, tile.rows) >> 1, inside(1, tile.columns) >> 1}, w,
                  stride);
  }
}

}  // namespace lyceum::winograd
