#include "kernels/isa/winograd/tiles.h"

namespace lyceum::winograd::LYCEUM_ISA {

void pack(const Weights& weights, const Shape& shape, bool turned, int64_t begin, int64_t end,
          float* packed) {
  const int64_t size = shape.in_channels * shape.out_channels;
  for (int64_t c = begin; c < end; c++) {
    for (int64_t k = 0; k < shape.out_channels; k += kRegister) {
      const float* from = weights.data + c * weights.in_stride + k * weights.out_stride;
      Register lines[3][6];
      for (int i = 0; i < 3; i++) {
        Register g[3];
        for (int j = 0; j < 3; j++) {
          const int64_t row = turned ? 2 - i : i, column = turned ? 2 - j : j;
          const float* place = from + row * weights.row_stride + column * weights.column_stride;
          float lanes[kRegister];
          for (int64_t lane = 0; lane < kRegister; lane++) {
            lanes[lane] = place[lane * weights.out_stride];
          }
          g[j] = read(lanes);
        }
        weight_line(g[0], g[1], g[2], lines[i]);
      }
      float* to = packed + c * shape.out_channels + k;
      for (int j = 0; j < 6; j++) {
        Register line[6];
        weight_line(lines[0][j], lines[1][j], lines[2][j], line);
        for (int i = 0; i < 6; i++) write(to + (6 * i + j) * size, line[i]);
      }
    }
  }
}

}  // namespace lyceum::winograd::LYCEUM_ISA
