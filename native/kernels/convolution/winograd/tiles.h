// Tiles of 4x4 pixels, and reading them into frequencies.
#pragma once

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

// Sixteen channels of the 6x6 pixels around a tile, zero outside, to frequencies `stride` floats apart.
LYCEUM_INLINE void read_input_tile(const float* x, const Tile& tile, float* v, int64_t stride) {
  Vector lines[6][6];
  const float* from = x + tile.offset - tile.row_stride - kLanes;
  if (tile.inner) {
    for (int i = 0; i < 6; i++, from += tile.row_stride) {
      input_line(load(from), load(from + kLanes), load(from + 2 * kLanes), load(from + 3 * kLanes),
                 load(from + 4 * kLanes), load(from + 5 * kLanes), lines[i]);
    }
  } else {
    const int64_t first_row = tile.row == 0, first_column = tile.column == 0;
    const int64_t end_row = tile.rows + 1, end_column = tile.columns + 1 < 6 ? tile.columns + 1 : 6;
    for (int i = 0; i < 6; i++, from += tile.row_stride) {
      Vector d[6] = {};
      if (i >= first_row && i < end_row) {
        for (int64_t j = first_column; j < end_column; j++) d[j] = load(from + j * kLanes);
      }
      input_line(d[0], d[1], d[2], d[3], d[4], d[5], lines[i]);
    }
  }
  for (int j = 0; j < 6; j++) {
    Vector line[6];
    input_line(lines[0][j], lines[1][j], lines[2][j], lines[3][j], lines[4][j], lines[5][j], line);
    for (int i = 0; i < 6; i++) store(v + (6 * i + j) * stride, line[i]);
  }
}

// Sixteen channels of the result's gradient, zero outside, to frequencies `stride` floats apart.
LYCEUM_INLINE void read_gradient_tile(const float* dy, const Tile& tile, float* w, int64_t stride) {
  Vector lines[4][6];
  const float* from = dy + tile.offset;
  for (int i = 0; i < 4; i++, from += tile.row_stride) {
    Vector d[4] = {};
    if (i < tile.rows) {
      const int64_t columns = tile.columns < 4 ? tile.columns : 4;
      for (int64_t j = 0; j < columns; j++) d[j] = load(from + j * kLanes);
    }
    gradient_line(d[0], d[1], d[2], d[3], lines[i]);
  }
  for (int j = 0; j < 6; j++) {
    Vector line[6];
    gradient_line(lines[0][j], lines[1][j], lines[2][j], lines[3][j], line);
    for (int i = 0; i < 6; i++) store(w + (6 * i + j) * stride, line[i]);
  }
}

}  // namespace lyceum::winograd
