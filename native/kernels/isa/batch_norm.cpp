#include "kernels/isa/batch_norm.h"

#include "kernels/isa/vector.h"

namespace lyceum::batch_norm::LYCEUM_ISA {
namespace {

using namespace lyceum::LYCEUM_ISA;

// Calls `body(lanes, rows, offset, channel, seen)` for each block of each tile. Where the last
// block has fewer than sixteen channels, it reaches back into the one before, so that its first
// `seen` lanes have been met already. Sums leave these out; what is written for them is written
// again as it is, since nothing is written where it is read.
template <class Body>
LYCEUM_INLINE void each_block(const Channels& c, int64_t begin, int64_t end, const Body& body) {
  for (int64_t tile = begin; tile < end; tile++) {
    const int64_t rows = c.rows_of(tile);
    for (int64_t block = 0; block < c.blocks; block++) {
      const int64_t lanes = c.lanes(block), offset = c.offset(tile, block),
                    channel = block * kLanes;
      if (lanes == kLanes) {
        body(Whole{}, rows, offset, channel, 0);
      } else if (block > 0) {
        const int64_t seen = kLanes - lanes;
        body(Whole{}, rows, offset - seen, channel - seen, seen);
      } else {
        body(Part{lanes}, rows, offset, channel, 0);
      }
    }
  }
}

template <class T>
LYCEUM_INLINE void find_moments_as(const T* x, const Channels& c, int64_t begin, int64_t end,
                                   Moments& found) {
  // Tile by tile, each about its first row: floats sum a few small differences, doubles the tiles,
  // and no difference of large sums is taken.
  for (int64_t tile = begin; tile < end; tile++) {
    each_block(
        c, tile, tile + 1,
        [&](auto lanes, int64_t rows, int64_t offset, int64_t channel,
            int64_t seen) __attribute__((always_inline)) {
          const T* from = x + offset;
          const Vector first = load(from, lanes);
          Vector sum{}, odd{};
          int64_t row = 1;
          for (; row + 1 < rows; row += 2) {
            sum += load(from + row * c.row_stride, lanes) - first;
            odd += load(from + (row + 1) * c.row_stride, lanes) - first;
          }
          if (row < rows) sum += load(from + row * c.row_stride, lanes) - first;
          const Vector mean = (sum + odd) / float(rows);
          Vector squares{};
          for (row = 0; row < rows; row++) {
            const Vector away = load(from + row * c.row_stride, lanes) - first - mean;
            squares += away * away;
          }
          float of_first[kLanes], of_mean[kLanes], of_squares[kLanes];
          store(of_first, first);
          store(of_mean, mean);
          store(of_squares, squares);
          double means[kLanes], sums[kLanes];
          for (int64_t lane = 0; lane < kLanes; lane++) {
            means[lane] = double(of_first[lane]) + double(of_mean[lane]);
            sums[lane] = of_squares[lane];
          }
          Moments so_far{found.count, found.mean + channel + seen, found.squares + channel + seen};
          so_far.add({double(rows), means + seen, sums + seen}, lanes.count - seen);
        });
    found.count += double(c.rows_of(tile));
  }
}

// Tags for which inputs a loop has: constants to the compiler, so that the rows are gone through
// without tests.
struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};

template <class T, class Residual, class Relu>
LYCEUM_INLINE void apply_as(const Apply<T>& a, const Channels& c, int64_t begin, int64_t end,
                            Residual, Relu) {
  each_block(
      c, begin, end,
      [&](auto lanes, int64_t rows, int64_t offset, int64_t channel,
          int64_t) __attribute__((always_inline)) {
        const Vector scale = load(a.scale + channel, lanes), shift = load(a.shift + channel, lanes);
        for (int64_t row = 0; row < rows; row++) {
          const int64_t at = offset + row * c.row_stride;
          Vector y = load(a.x + at, lanes) * scale + shift;
          if constexpr (Residual::value) y += load(a.residual + at, lanes);
          if constexpr (Relu::value) y = relu(y);
          store(a.y + at, y, lanes);
        }
      });
}

// The gradient that came through the ReLU. NaN passes, as in ATen.
template <class T, class Relu, class Stored, class Lanes>
LYCEUM_INLINE Vector passed_at(const Passed<T>& p, int64_t at, Lanes lanes, const Vector& x,
                               const Vector& scale, const Vector& shift, Relu, Stored) {
  const Vector dy = load(p.dy + at, lanes);
  if constexpr (!Relu::value) return dy;
  if constexpr (Stored::value) return where_positive(load(p.y + at, lanes), dy);
  return where_positive(x * scale + shift, dy);
}

template <class T, class Relu, class Stored>
LYCEUM_INLINE void sum_gradient_as(const Passed<T>& p, const float* mean, T* passed, double* sum,
                                   double* product, const Channels& c, int64_t begin, int64_t end,
                                   Relu is_relu, Stored stored) {
  each_block(
      c, begin, end,
      [&](auto lanes, int64_t rows, int64_t offset, int64_t channel,
          int64_t seen) __attribute__((always_inline)) {
        const Vector scale = load(p.scale + channel, lanes), shift = load(p.shift + channel, lanes);
        const Vector centre = load(mean + channel, lanes);
        Vector sums{}, products{};
        for (int64_t row = 0; row < rows; row++) {
          const int64_t at = offset + row * c.row_stride;
          const Vector x = load(p.x + at, lanes);
          const Vector gradient = passed_at(p, at, lanes, x, scale, shift, is_relu, stored);
          if constexpr (Stored::value) store(passed + at, gradient, lanes);
          sums += gradient;
          products += gradient * (x - centre);
        }
        // Goes by way of memory only here: a vector whose lanes are taken one by one would live in
        // memory all along.
        float of_sum[kLanes], of_product[kLanes];
        store(of_sum, sums);
        store(of_product, products);
        for (int64_t lane = seen; lane < lanes.count; lane++) {
          sum[channel + lane] += double(of_sum[lane]);
          product[channel + lane] += double(of_product[lane]);
        }
      });
}

template <class T, class Relu, class Batch>
LYCEUM_INLINE void input_gradient_as(const Passed<T>& p, const BatchTerms& terms, T* dx,
                                     const Channels& c, int64_t begin, int64_t end, Relu is_relu,
                                     Batch) {
  each_block(
      c, begin, end,
      [&](auto lanes, int64_t rows, int64_t offset, int64_t channel,
          int64_t) __attribute__((always_inline)) {
        const Vector scale = load(p.scale + channel, lanes), shift = load(p.shift + channel, lanes);
        Vector mean{}, along{}, level{};
        if constexpr (Batch::value) {
          mean = load(terms.mean + channel, lanes);
          along = load(terms.along + channel, lanes);
          level = load(terms.level + channel, lanes);
        }
        for (int64_t row = 0; row < rows; row++) {
          const int64_t at = offset + row * c.row_stride;
          const Vector x = load(p.x + at, lanes);
          const Vector gradient = passed_at(p, at, lanes, x, scale, shift, is_relu, No{});
          Vector result = gradient * scale;
          if constexpr (Batch::value) result -= (x - mean) * along + level;
          store(dx + at, result, lanes);
        }
      });
}

template <class T>
LYCEUM_INLINE void apply_any(const Apply<T>& a, const Channels& c, int64_t begin, int64_t end) {
  if (a.residual && a.relu) {
    apply_as(a, c, begin, end, Yes{}, Yes{});
  } else if (a.residual) {
    apply_as(a, c, begin, end, Yes{}, No{});
  } else if (a.relu) {
    apply_as(a, c, begin, end, No{}, Yes{});
  } else {
    apply_as(a, c, begin, end, No{}, No{});
  }
}

template <class T>
LYCEUM_INLINE void sum_gradient_any(const Passed<T>& p, const float* mean, T* passed, double* sum,
                                    double* product, const Channels& c, int64_t begin,
                                    int64_t end) {
  if (p.relu && p.y) {
    sum_gradient_as(p, mean, passed, sum, product, c, begin, end, Yes{}, Yes{});
  } else if (p.relu) {
    sum_gradient_as(p, mean, passed, sum, product, c, begin, end, Yes{}, No{});
  } else {
    sum_gradient_as(p, mean, passed, sum, product, c, begin, end, No{}, No{});
  }
}

template <class T>
LYCEUM_INLINE void input_gradient_any(const Passed<T>& p, const BatchTerms* terms, T* dx,
                                      const Channels& c, int64_t begin, int64_t end) {
  if (p.relu && terms) {
    input_gradient_as(p, *terms, dx, c, begin, end, Yes{}, Yes{});
  } else if (terms) {
    input_gradient_as(p, *terms, dx, c, begin, end, No{}, Yes{});
  } else if (p.relu) {
    input_gradient_as(p, {}, dx, c, begin, end, Yes{}, No{});
  } else {
    input_gradient_as(p, {}, dx, c, begin, end, No{}, No{});
  }
}

}  // namespace

// The table points to functions, not to templates: the entries are written out for both types.
#define LYCEUM_DEFINE(T)                                                                         \
  void find_moments(const T* x, const Channels& c, int64_t begin, int64_t end, Moments& found) { \
    find_moments_as(x, c, begin, end, found);                                                    \
  }                                                                                              \
  void apply(const Apply<T>& a, const Channels& c, int64_t begin, int64_t end) {                 \
    apply_any(a, c, begin, end);                                                                 \
  }                                                                                              \
  void sum_gradient(const Passed<T>& p, const float* mean, T* passed, double* sum,               \
                    double* product, const Channels& c, int64_t begin, int64_t end) {            \
    sum_gradient_any(p, mean, passed, sum, product, c, begin, end);                              \
  }                                                                                              \
  void input_gradient(const Passed<T>& p, const BatchTerms* terms, T* dx, const Channels& c,     \
                      int64_t begin, int64_t end) {                                              \
    input_gradient_any(p, terms, dx, c, begin, end);                                             \
  }
LYCEUM_DEFINE(float)
LYCEUM_DEFINE(BFloat16)
#undef LYCEUM_DEFINE

}  // namespace lyceum::batch_norm::LYCEUM_ISA
