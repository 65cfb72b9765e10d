#include "kernels/isa/pointwise/kernels.h"
#include "kernels/isa/register.h"

namespace lyceum::pointwise::LYCEUM_ISA {
namespace {

using namespace lyceum::LYCEUM_ISA;

// Calls `body(pixel, window)` for the pixels of each window: one row of windows after the other.
template <class Body>
LYCEUM_INLINE void each_pixel(const Windows& w, const Body& body) {
  for (int64_t row = 0; row < w.high * w.height; row++) {
    int64_t window = row / w.height * w.wide, pixel = row * w.wide * w.width;
    for (int64_t column = 0; column < w.wide; column++, window++) {
      for (int64_t j = 0; j < w.width; j++, pixel++) body(pixel * kLanes, window * kLanes);
    }
  }
}

}  // namespace

void average(const Input& in, const Windows& windows, float* y) {
  const int64_t count = windows.high * windows.wide;
  const float share = 1.0f / float(windows.height * windows.width);
  for (int64_t block = 0; block < in.blocks; block++, y += count * kLanes) {
    const Vector scale = load(in.scale + block * kLanes), shift = load(in.shift + block * kLanes);
    const float* x = in.x + block * in.block_stride;
    for (int64_t i = 0; i < count; i++) store(y + i * kLanes, Vector{});
    each_pixel(windows, [&](int64_t pixel, int64_t window) {
      store(y + window, load(y + window) + share * relu(load(x + pixel) * scale + shift));
    });
  }
}

void average_gradient(const Input& in, const Windows& windows, const float* dy, const float* mean,
                      float* dx, double* sums, double* products) {
  const int64_t count = windows.high * windows.wide;
  const float share = 1.0f / float(windows.height * windows.width);
  for (int64_t block = 0; block < in.blocks; block++, dy += count * kLanes) {
    const int64_t channel = block * kLanes;
    const Vector scale = load(in.scale + channel), shift = load(in.shift + channel),
                 centre = load(mean + channel);
    const float* x = in.x + block * in.block_stride;
    float* d = dx + block * in.block_stride;
    Vector sum{}, product{};
    each_pixel(windows, [&](int64_t pixel, int64_t window) {
      const Vector value = load(x + pixel);
      // NaN passes, as in ATen.
      const Vector passed = where_positive(value * scale + shift, share * load(dy + window));
      sum += passed;
      product += passed * (value - centre);
      store(d + pixel, scale * passed);
    });
    // Goes by way of memory only here: a vector whose lanes are taken one by one would live in
    // memory all along.
    float of_sum[kLanes], of_product[kLanes];
    store(of_sum, sum);
    store(of_product, product);
    for (int64_t lane = 0; lane < kLanes; lane++) {
      sums[channel + lane] += double(of_sum[lane]);
      products[channel + lane] += double(of_product[lane]);
    }
  }
}

}  // namespace lyceum::pointwise::LYCEUM_ISA
