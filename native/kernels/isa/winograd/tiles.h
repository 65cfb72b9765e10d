// Tiles of 4x4 pixels, and reading them into frequencies.
#pragma once

#include "kernels/isa/winograd/transforms.h"
#include "kernels/isa/winograd/kernels.h"

namespace lyceum::winograd::LYCEUM_ISA {

struct Tile {
  // The floats from the start of the first block of channels to the tile's first pixel.
  int64_t offset;
  int64_t row_stride;
  // The tile's first pixel, and how many pixels there are from it to the far edges.
  int64_t row, column, rows, columns;
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

// A bit for each of the six pixels around four in a line: whether it is inside the image.
LYCEUM_INLINE unsigned inside(int64_t first, int64_t left) {
  return (left >= 5 ? 0x3fu : (2u << left) - 1) & (first == 0 ? ~1u : ~0u);
}

// A line of pixels outside.
alignas(64) inline constexpr float kOutside[6 * kLanes] = {};

// The 6x6 pixels around a tile, one register each. Lines outside are kOutside; the first column, or
// the last, may be outside.
template <bool kFirst, bool kLast>
struct Around {
  const float* lines[6];

  LYCEUM_INLINE Register at(int i, int j) const {
    if ((kFirst && j == 0) || (kLast && j == 5)) return Register{};
    return read(lines[i] + j * kLanes);
  }
};

// Pixels of a tile and around it, where more columns than those are outside: these are zero and are
// not read.
struct Masked {
  const float* from;
  int64_t row_stride;
  // A bit for each row and column that is inside.
  unsigned rows, columns;

  LYCEUM_INLINE Register at(int i, int j) const {
    return read(rows >> i & columns >> j & 1 ? from + i * row_stride + j * kLanes : kOutside);
  }
};

// The 4x4 pixels of a tile that is inside.
struct Whole {
  const float* from;
  int64_t row_stride;

  LYCEUM_INLINE Register at(int i, int j) const { return read(from + i * row_stride + j * kLanes); }
};

// The first, or the last, three columns of frequencies: so that all of them stay in registers
// between the two passes.
template <class Group, bool kLast, class Pixels>
LYCEUM_INLINE void read_input_half(const Pixels& d, float* v) {
  Register lines[3][6];
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) {
    const Register d1 = d.at(i, 1), d2 = d.at(i, 2), d3 = d.at(i, 3), d4 = d.at(i, 4);
    if constexpr (kLast) {
      const Register even_a = d4 - kA2 * d2, odd_a = d3 - kA2 * d1;
      lines[0][i] = even_a + kB * odd_a;
      lines[1][i] = even_a - kB * odd_a;
      lines[2][i] = d.at(i, 5) - kB2 * d3 - kA2 * (d3 - kB2 * d1);
    } else {
      const Register even_b = d4 - kB2 * d2, odd_b = d3 - kB2 * d1;
      lines[0][i] = even_b - kA2 * (d2 - kB2 * d.at(i, 0));
      lines[1][i] = even_b + kA * odd_b;
      lines[2][i] = even_b - kA * odd_b;
    }
  }
#pragma GCC unroll 3
  for (int j = 0; j < 3; j++) {
    Register line[6];
    input_line(lines[j][0], lines[j][1], lines[j][2], lines[j][3], lines[j][4], lines[j][5], line);
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) {
      write(v + (6 * i + j + (kLast ? 3 : 0)) * Group::frequency, line[i]);
    }
  }
}

template <class Group, class Pixels>
LYCEUM_INLINE void read_input(const Pixels& pixels, float* v) {
  read_input_half<Group, false>(pixels, v);
  read_input_half<Group, true>(pixels, v);
}

// A register of channels of the 6x6 pixels around a tile to frequencies.
template <class Group>
LYCEUM_INLINE void read_input_tile(const float* x, const Tile& tile, float* v) {
  const float* from = x + tile.offset - tile.row_stride - kLanes;
  if (tile.columns < 4) {
    const unsigned rows = inside(tile.row, tile.rows), columns = inside(tile.column, tile.columns);
    return read_input<Group>(Masked{from, tile.row_stride, rows, columns}, v);
  }
  const float* lines[6];
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) {
    const bool outside = i == 0 ? tile.row == 0 : tile.rows < i;
    lines[i] = outside ? kOutside : from + i * tile.row_stride;
  }
  const auto read = [&](auto around) {
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) around.lines[i] = lines[i];
    read_input<Group>(around, v);
  };
  const bool first = tile.column == 0, last = tile.columns == 4;
  if (first && last) {
    read(Around<true, true>{});
  } else if (first) {
    read(Around<true, false>{});
  } else if (last) {
    read(Around<false, true>{});
  } else {
    read(Around<false, false>{});
  }
}

// Sixteen channels of the pixels around each tile of a group.
template <class Group>
LYCEUM_INLINE void read_input_block(const float* x, const Tile* tiles, int64_t count, float* v) {
  for (int64_t t = 0; t < count; t++) {
#pragma GCC unroll 1
    for (int64_t lane = 0; lane < kLanes; lane += kRegister) {
      read_input_tile<Group>(x + lane, tiles[t], v + t * kLanes + lane);
    }
  }
}

template <class Group, class Pixels>
LYCEUM_INLINE void read_gradient(const Pixels& dy, float* w) {
  Register lines[6][4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    Register line[6];
    gradient_line(dy.at(i, 0), dy.at(i, 1), dy.at(i, 2), dy.at(i, 3), line);
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) lines[j][i] = line[j];
  }
#pragma GCC unroll 6
  for (int j = 0; j < 6; j++) {
    Register line[6];
    gradient_line(lines[j][0], lines[j][1], lines[j][2], lines[j][3], line);
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) write(w + (6 * i + j) * Group::frequency, line[i]);
  }
}

// A register of channels of the result's gradient, zero outside, to frequencies.
template <class Group>
LYCEUM_INLINE void read_gradient_tile(const float* dy, const Tile& tile, float* w) {
  const float* from = dy + tile.offset;
  if (tile.rows >= 4 && tile.columns >= 4) {
    read_gradient<Group>(Whole{from, tile.row_stride}, w);
  } else {
    // The pixel before is not looked at here.
    read_gradient<Group>(
        Masked{from, tile.row_stride, inside(1, tile.rows) >> 1, inside(1, tile.columns) >> 1}, w);
  }
}

template <class Group>
LYCEUM_INLINE void read_gradient_block(const float* dy, const Tile* tiles, int64_t count,
                                       float* w) {
  for (int64_t t = 0; t < count; t++) {
#pragma GCC unroll 1
    for (int64_t lane = 0; lane < kLanes; lane += kRegister) {
      read_gradient_tile<Group>(dy + lane, tiles[t], w + t * kLanes + lane);
    }
  }
}

}  // namespace lyceum::winograd::LYCEUM_ISA
