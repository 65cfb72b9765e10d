#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include "kernels/convolution/dense/training.h"

namespace lyceum::dense {
namespace {

winograd::Shape turned(const winograd::Shape& s) {
  return {s.batch, s.height, s.width, s.out_channels, s.in_channels};
}

// What the backward pass takes from layer to layer. Vectors have a value a lane.
struct Backward {
  // With the lanes of the layers that are left to do.
  DenseShape shape;
  Batch batch;
  at::Tensor grown, d_grown;
  std::vector<float> mean, inverse, along, level;
  // Whether a norm comes after the block.
  bool after;
};

// The scale and shift of a norm with this weight and bias, by lane.
struct LaneScaling {
  LaneScaling(const at::Tensor& weight, const at::Tensor& bias, const Backward& at)
      : scale(in_lanes(at.shape.lanes, weight.data_ptr<float>())),
        shift(in_lanes(at.shape.lanes, bias.data_ptr<float>())) {
    for (size_t i = 0; i < scale.size(); i++) {
      const double slope = double(scale[i]) * at.inverse[i];
      scale[i] = float(slope);
      shift[i] = float(shift[i] - at.mean[i] * slope);
    }
  }

  std::vector<float> scale, shift;
};

// A norm's gradients that came through the ReLU, and their products with x - mean, summed by lane
// and in parts.
struct Sums {
  Sums(const Backward& at)
      : values(at.shape.lanes.size() * kLanes),
        sums(at.batch.parts * values),
        products(at.batch.parts * values) {}

  // Finds the gradients of weight and bias; `at` takes what the norm's statistics add to the
  // channels' gradients.
  void settle(const std::vector<float>& scale, Backward& at, at::Tensor& d_weight,
              at::Tensor& d_bias) const {
    const double count = double(at.batch.size * at.batch.pixels);
    d_weight = at::empty({at.shape.channels()}, at.grown.options());
    d_bias = at::empty_like(d_weight);
    for (int64_t lane = 0, channel = 0; lane < values; lane++) {
      if (lane % kLanes >= at.shape.lanes[lane / kLanes]) continue;
      double sum = 0, product = 0;
      for (int64_t part = 0; part < at.batch.parts; part++) {
        sum += sums[part * values + lane];
        product += products[part * values + lane];
      }
      const double inverse = at.inverse[lane];
      d_weight.data_ptr<float>()[channel] = float(product * inverse);
      d_bias.data_ptr<float>()[channel] = float(sum);
      at.level[lane] += float(scale[lane] * sum / count);
      at.along[lane] += float(scale[lane] * product * inverse * inverse / count);
      channel++;
    }
  }

  int64_t values;
  std::vector<double> sums, products;
};

using FloatNormGradient = NormGradient<float>;

// The gradients of conv3x3's weight, and of its input, whose sums norm2 takes.
at::Tensor widen_backward(const Layer& layer, const Kept& kept, const Backward& at,
                          FloatNormGradient& norm2, at::Tensor& d_wide) {
  const Batch& batch = at.batch;
  const int64_t inner = at.shape.inner, size = winograd::packed_size(inner, kLanes);
  const at::Tensor padded = padded_wide(layer.wide);
  const winograd::Shape one = tiled(at.shape, 1);
  std::vector<float> weights(size);
  kernels().winograd.pack({padded.data_ptr<float>(), 9, 9 * inner, 3, 1}, turned(one), true, 0,
                          kLanes, weights.data());
  const at::Tensor sums = at::zeros({batch.parts, size}, padded.options());
  const at::Tensor d_inner = at::empty_like(kept.z);
  const int64_t working = std::max(winograd::scratch_size<winograd::ConvolutionGroup>(turned(one)),
                                   winograd::scratch_size<winograd::GradientGroup>(one));
  const int64_t block = at.shape.lanes.size(), lane = block * kLanes;
  // Whether a later layer, or what comes after the block, normalises these channels.
  const bool normalised = at.after || lane + kLanes < int64_t(at.mean.size());
  const float *z = kept.z.data_ptr<float>(),
              *grown = at.grown.data_ptr<float>() + block * batch.block_stride();
  const float* d_grown = at.d_grown.data_ptr<float>() + block * batch.block_stride();
  float *sums_of = sums.data_ptr<float>(), *d = d_inner.data_ptr<float>();
  const Scaling& scaling = norm2.scaling();
  batch.each_group(batch.at_once, [&](int64_t part, int64_t begin, int64_t end, int64_t next) {
    float* memory = scratch(working + batch.inner_at(batch.at_once) + batch.at_once * batch.plane);
    float* y = memory + working;
    const Channels c = batch.inner(end - begin);
    const int64_t first = batch.inner_at(begin), grown_at = begin * batch.plane;
    const float* dy = d_grown + grown_at;
    if (normalised) {
      float* with_statistics = y + batch.inner_at(batch.at_once);
      kernels().pointwise.add_statistics(dy, grown + grown_at, &at.mean[lane], &at.along[lane],
                                         &at.level[lane], (end - begin) * batch.pixels,
                                         with_statistics);
      dy = with_statistics;
    }
    kernels().batch_norm.apply(batch_norm::Apply<float>{z + first, nullptr, scaling.scale.data(),
                                                        scaling.shift.data(), y, true},
                               c, 0, c.tiles());
    const winograd::Shape some = tiled(at.shape, end - begin);
    winograd::Prefetch results, next_images;
    batch.prefetch_inner(results, d, begin, end);
    kernels().winograd.sum_weights(some, y, dy, 0, some.tiles(), memory, sums_of + part * size,
                                   results);
    batch.prefetch_inner(next_images, z, end, next);
    batch.prefetch_block(next_images, d_grown, end, next);
    batch.prefetch_block(next_images, grown, end, next);
    kernels().winograd.convolve(turned(some), dy, weights.data(), {}, 0, some.tiles(), memory,
                                d + first, next_images);
    norm2.sum(part, {d + first, z + first}, c, 0, c.tiles());
  });
  kernels().winograd.unpack(one, sums_of, batch.parts, 0, inner, padded.data_ptr<float>(),
                            9 * inner, 9, 3, 1);
  d_wide = at::empty_like(layer.wide).copy_(padded.narrow(0, 0, at.shape.growth));
  norm2.settle(double(batch.size * batch.pixels));
  return d_inner;
}

// Weights [K, C, 1, 1] as [K, blocks, 16].
std::vector<float> transposed(const at::Tensor& narrow, const std::vector<int64_t>& lanes) {
  const at::Tensor rows = narrow.contiguous();
  std::vector<float> all;
  for (int64_t k = 0; k < rows.size(0); k++) {
    const std::vector<float> row = in_lanes(lanes, rows.data_ptr<float>() + k * rows.size(1));
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

// The gradients of conv1x1 and norm1, except for what follows from the sums of the whole batch,
// which `at` takes along.
void narrow_backward(const Layer& layer, const Kept& kept, const at::Tensor& d_inner,
                     const FloatNormGradient& norm2, Backward& at, at::Tensor* found) {
  const Batch& batch = at.batch;
  const std::vector<int64_t>& lanes = at.shape.lanes;
  const int64_t blocks = lanes.size(), values = blocks * kLanes, channels = at.shape.channels(),
                inner = at.shape.inner;
  const LaneScaling scaling(layer.weight1, layer.bias1, at);
  const std::vector<float> weights = transposed(layer.narrow, lanes);
  const at::Tensor d_weights = at::zeros({batch.parts, values, inner}, kept.z.options());
  Sums sums(at);
  const float *z = kept.z.data_ptr<float>(), *d = d_inner.data_ptr<float>(),
              *grown = at.grown.data_ptr<float>();
  float *d_grown = at.d_grown.data_ptr<float>(), *d_weights_of = d_weights.data_ptr<float>();
  const int64_t working = pointwise::gradient_scratch_size(blocks);
  batch.each([&](int64_t part, int64_t image) {
    float* memory = scratch(working + batch.inner_at(1) + pointwise::kPixels * kLanes);
    float* dz = memory + working;
    const Channels c = batch.inner(1);
    const int64_t first = batch.inner_at(image);
    norm2.input(d + first, z + first, dz, true, c, 0, c.tiles());
    kernels().pointwise.add_gradient(
        {grown + image * batch.plane, batch.block_stride(), blocks, batch.pixels, lanes.data(),
         scaling.scale.data(), scaling.shift.data()},
        {dz, batch.plane, batch.inner_blocks, weights.data(), at.mean.data(),
         d_grown + image * batch.plane, d_weights_of + part * values * inner,
         &sums.sums[part * values], &sums.products[part * values]},
        memory);
  });
  sums.settle(scaling.scale, at, found[0], found[1]);
  const at::Tensor d_rows = at::empty({channels, inner}, kept.z.options()),
                   summed = d_weights.sum(0);
  for (int64_t block = 0, channel = 0; block < blocks; channel += lanes[block++]) {
    std::copy_n(summed.data_ptr<float>() + block * kLanes * inner, lanes[block] * inner,
                d_rows.data_ptr<float>() + channel * inner);
  }
  found[2] = at::empty_like(layer.narrow).copy_(d_rows.t().reshape(layer.narrow.sizes()));
}

// Reads the gradient of the whole block's result into lanes.
void read_gradient(const at::Tensor& dy, const Backward& at) {
  const Batch& batch = at.batch;
  const float* from = dy.data_ptr<float>();
  float* to = at.d_grown.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    read_lanes(at.shape, from + image * batch.pixels * at.shape.channels(), batch.block_stride(),
               to + image * batch.plane);
  });
}

// The same, where dy is the gradient of the averages of relu(norm(x)).
void average_backward(const at::Tensor& dy, const at::Tensor* norm, at::IntArrayRef window,
                      Backward& at, at::Tensor* found) {
  const Batch& batch = at.batch;
  const std::vector<int64_t>& lanes = at.shape.lanes;
  const LaneScaling scaling(norm[0], norm[1], at);
  const DenseShape small = at.shape.averaged(kName, window);
  const pointwise::Windows windows{small.height, small.width, window[0], window[1]};
  const int64_t blocks = lanes.size();
  Sums sums(at);
  const float *from = dy.data_ptr<float>(), *grown = at.grown.data_ptr<float>();
  float* to = at.d_grown.data_ptr<float>();
  batch.each([&](int64_t part, int64_t image) {
    float* d = scratch(blocks * small.plane());
    read_lanes(small, from + image * small.pixels() * small.channels(), small.plane(), d);
    kernels().pointwise.average_gradient(
        {grown + image * batch.plane, batch.block_stride(), blocks, batch.pixels, lanes.data(),
         scaling.scale.data(), scaling.shift.data()},
        windows, d, at.mean.data(), to + image * batch.plane, &sums.sums[part * sums.values],
        &sums.products[part * sums.values]);
  });
  sums.settle(scaling.scale, at, found[0], found[1]);
}

// x's gradient, to which it adds what follows from the statistics.
at::Tensor write_input_gradient(const Backward& at) {
  const DenseShape& shape = at.shape;
  const Batch& batch = at.batch;
  const at::Tensor dx = at::empty({batch.size, shape.in_channels, shape.height, shape.width},
                                  at.grown.options(), at::MemoryFormat::ChannelsLast);
  const float *grown = at.grown.data_ptr<float>(), *d_grown = at.d_grown.data_ptr<float>();
  float* to = dx.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    float* d = scratch(shape.in_blocks() * batch.plane);
    for (int64_t block = 0; block < shape.in_blocks(); block++) {
      const int64_t from = block * batch.block_stride() + image * batch.plane,
                    lane = block * kLanes;
      kernels().pointwise.add_statistics(d_grown + from, grown + from, &at.mean[lane],
                                         &at.along[lane], &at.level[lane], batch.pixels,
                                         d + block * batch.plane);
    }
    write_lanes(shape, d, batch.plane, to + image * batch.pixels * shape.in_channels);
  });
  return dx;
}

std::vector<float> copied(const at::Tensor& values) {
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

}  // namespace

std::vector<at::Tensor> backward(const at::Tensor& dy_given, const Saved& saved, bool x_wanted) {
  const size_t after = saved.window.empty() ? 0 : kAfter;
  const size_t count = saved.kept.size() / Kept::kTensors;
  const at::Tensor *parameters = saved.parameters.data(), *norm = parameters + kParameters * count;
  Backward at{saved.shape,
              Batch(saved.shape, saved.grown.size(1)),
              saved.grown,
              at::empty_like(saved.grown),
              copied(saved.mean),
              copied(saved.inverse),
              std::vector<float>(saved.mean.numel()),
              std::vector<float>(saved.mean.numel()),
              after > 0};
  std::vector<at::Tensor> found(1 + kParameters * count + after);
  const at::Tensor dy = dy_given.resolve_neg().contiguous(at::MemoryFormat::ChannelsLast);
  if (after > 0) {
    average_backward(dy, norm, saved.window, at, &found[1 + kParameters * count]);
  } else {
    read_gradient(dy, at);
  }
  for (size_t i = count; i-- > 0;) {
    const Layer layer = Layer::of(parameters + kParameters * i);
    const at::Tensor* tensors = &saved.kept[Kept::kTensors * i];
    const Kept kept{tensors[0], tensors[1], tensors[2]};
    at::Tensor* to = &found[1 + kParameters * i];
    at.shape.lanes.pop_back();
    FloatNormGradient norm2(layer.weight2, layer.bias2, kept.mean, kept.inverse, true,
                            at.batch.parts);
    const at::Tensor d_inner = widen_backward(layer, kept, at, norm2, to[5]);
    to[3] = norm2.weight;
    to[4] = norm2.bias;
    narrow_backward(layer, kept, d_inner, norm2, at, to);
  }
  if (x_wanted) found[0] = write_input_gradient(at);
  return found;
}

}  // namespace lyceum::dense
