// lyceum::dense_block: a block of a DenseNet-BC (Huang et al. 2017) in training,
//
//   x = cat(x, conv3x3(relu(norm2(conv1x1(relu(norm1(x)))))))
//
// layer after layer; float32, channels-last, differentiable (once). Where windows are given, what
// comes after the block goes with it: the averages of relu(norm(x)) over each window. Inside,
// channels lie in lanes (lanes.h), [blocks][images][pixels][16], where a layer writes beside what
// is there, and every later layer reads it:
//
//   forward    norm1, conv1x1, its moments | norm2, conv3x3, its moments
//   backward   conv3x3's gradient, norm2's sums | norm2's gradient, conv1x1's, norm1's sums
//
// where a bar is a statistic of the whole batch, which what follows has to wait for. What lies
// between norm1 and conv1x1, and between norm2 and conv3x3, is worked out again backward rather
// than kept.
//
// The mean and variance of a channel are the same for all layers that normalise it, and so are
// found once. Each of their norm1 gives it the gradient scale · g - along · (x - mean) - level,
// where the last two follow from sums of g over the batch: the first part is added up layer by
// layer, the others at the end, so that none has to wait for its own sums.
//
// The same out of separate layers is in src/models/densenet.ts; tests hold the two together.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/alias.h"
#include "kernels/batch_norm/steps.h"
#include "kernels/convolution/dense/shape.h"
#include "kernels/isa.h"
#include "kernels/scratch.h"

namespace {

using lyceum::Channels;
using lyceum::DenseShape;
using lyceum::kLanes;
using lyceum::Norm;
using torch::autograd::variable_list;
namespace pointwise = lyceum::pointwise;
namespace winograd = lyceum::winograd;

constexpr const char* kName = "dense_block";

// Norm's weight and bias and convolution's weight, twice; running mean and variance, twice.
constexpr size_t kParameters = 6, kAverages = 4;
// Weight and bias, mean and variance, of the norm that comes after the block.
constexpr size_t kAfter = 2;

struct Layer {
  const at::Tensor &weight1, &bias1, &narrow, &weight2, &bias2, &wide;

  static Layer of(const at::Tensor* p) { return {p[0], p[1], p[2], p[3], p[4], p[5]}; }
};

// What forward finds of a layer, and backward needs.
struct Kept {
  static constexpr size_t kTensors = 3;
  at::Tensor z, mean, inverse;
};

// Of each thread.
float* scratch(int64_t size) {
  thread_local lyceum::Scratch one;
  return one.of(size);
}

// A batch, its parts, each of which one thread goes through, and how its blocks lie.
struct Batch {
  Batch(const DenseShape& shape, int64_t batch)
      : size(batch),
        parts(std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), batch))),
        pixels(shape.pixels()),
        plane(shape.plane()),
        inner_blocks(shape.inner_blocks()),
        at_once(shape.images_at_once()) {}

  int64_t block_stride() const { return size * plane; }

  // Calls `body(part, begin, end, next)` for groups of at most `images`, those of a part one after
  // the other: [end, next) follow.
  template <class Body>
  void each_group(int64_t images, const Body& body) const {
    at::parallel_for(0, parts, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; part++) {
        const int64_t stop = size * (part + 1) / parts;
        for (int64_t image = size * part / parts; image < stop; image += images) {
          const int64_t end = std::min(image + images, stop);
          body(part, image, end, std::min(end + images, stop));
        }
      }
    });
  }

  template <class Body>
  void each(const Body& body) const {
    each_group(1, [&](int64_t part, int64_t image, int64_t, int64_t) { body(part, image); });
  }

  // Some images of a block, and of what lies between the two convolutions.
  void ask_block(winograd::Prefetch& ahead, const float* block, int64_t begin, int64_t end) const {
    ahead.add(block + begin * plane, (end - begin) * plane * int64_t(sizeof(float)));
  }
  void ask_inner(winograd::Prefetch& ahead, const float* inner, int64_t begin, int64_t end) const {
    ahead.add(inner + inner_at(begin), inner_at(end - begin) * int64_t(sizeof(float)));
  }

  // Some images of some blocks.
  Channels blocks(int64_t count, int64_t images) const {
    Channels c;
    c.channels = count * kLanes;
    c.blocks = count;
    c.segments = images;
    c.rows = pixels;
    c.segment_stride = plane;
    c.block_stride = block_stride();
    c.row_stride = kLanes;
    return c;
  }

  // Some images of what lies between the two convolutions, [images][blocks][pixels][16].
  Channels inner(int64_t images) const {
    Channels c = blocks(inner_blocks, images);
    c.segment_stride = inner_blocks * plane;
    c.block_stride = plane;
    return c;
  }

  int64_t inner_at(int64_t image) const { return image * inner_blocks * plane; }

  int64_t size, parts, pixels, plane, inner_blocks, at_once;
};

winograd::Shape tiled(const DenseShape& shape, int64_t images) {
  return {images, shape.height, shape.width, shape.inner, kLanes};
}

winograd::Shape turned(const winograd::Shape& s) {
  return {s.batch, s.height, s.width, s.out_channels, s.in_channels};
}

// Appends the statistics of blocks of lanes, leaving out unused ones.
void append(lyceum::Statistics& all, const lyceum::Statistics& found, const int64_t* lanes) {
  for (size_t lane = 0; lane < found.mean.size(); lane++) {
    if (int64_t(lane) % kLanes >= lanes[lane / kLanes]) continue;
    all.mean.push_back(found.mean[lane]);
    all.variance.push_back(found.variance[lane]);
  }
  all.count = found.count;
}

struct Forward {
  DenseShape shape;
  at::Tensor y, grown;
  // Of all channels.
  lyceum::Statistics statistics;
  std::vector<Kept> layers;
};

size_t layers_of(at::TensorList parameters) { return parameters.size() / kParameters; }

// The parameters of each layer, and of the norm that comes after them.
void check_parameters(const DenseShape& shape, at::TensorList parameters, size_t after) {
  const size_t count = layers_of(parameters);
  const auto channels = [&](size_t i) { return shape.in_channels + int64_t(i) * shape.growth; };
  for (size_t i = 0; i < count; i++) {
    const at::Tensor* p = &parameters[kParameters * i];
    lyceum::check_dense_weights(kName, shape, channels(i), p[2], p[5]);
    for (const int j : {0, 1}) {
      lyceum::check_dense_values(kName, p[j], channels(i), "a first norm's");
    }
    for (const int j : {3, 4}) {
      lyceum::check_dense_values(kName, p[j], shape.inner, "a second norm's");
    }
  }
  for (const at::Tensor& values : parameters.slice(parameters.size() - after)) {
    lyceum::check_dense_values(kName, values, channels(count), "the last norm's");
  }
}

DenseShape check(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                 at::IntArrayRef window) {
  const size_t count = layers_of(parameters), after = window.empty() ? 0 : kAfter;
  TORCH_CHECK(
      count > 0 && parameters.size() == count * kParameters + after &&
          averages.size() == count * kAverages + after,
      kName,
      ": six parameters and four averages for each layer, and two of each with a window, got ",
      parameters.size(), " and ", averages.size());
  const DenseShape shape = lyceum::dense_shape(kName, x, parameters[2], parameters[5]);
  TORCH_CHECK(x.size(0) > 0, kName, ": a batch of no images has no statistics");
  if (after > 0) shape.averaged(kName, window);
  check_parameters(shape, parameters, after);
  for (size_t i = 0; i < averages.size(); i++) {
    // Of the first norm, the second, or the last.
    const size_t layer = i / kAverages;
    const bool second = layer < count && i % kAverages >= 2;
    const int64_t channels =
        second ? shape.inner : shape.in_channels + int64_t(layer) * shape.growth;
    lyceum::check_dense_values(kName, averages[i], channels, "each of averages");
  }
  return shape;
}

// x to its blocks, with their moments.
void read_input(const at::Tensor& x, const Batch& batch, Forward& found) {
  const DenseShape& shape = found.shape;
  const int64_t blocks = shape.in_blocks();
  lyceum::PartMoments moments(batch.parts, blocks * kLanes);
  const float* from = x.data_ptr<float>();
  float* grown = found.grown.data_ptr<float>();
  batch.each([&](int64_t part, int64_t image) {
    float* to = grown + image * batch.plane;
    lyceum::read_lanes(shape, from + image * batch.pixels * shape.in_channels, batch.block_stride(),
                       to);
    const Channels c = batch.blocks(blocks, 1);
    lyceum::kernels().batch_norm.find_moments(to, c, 0, c.tiles(), moments[part]);
  });
  append(found.statistics, moments.all(), shape.lanes.data());
}

// norm1 and conv1x1; norm2 is settled then.
lyceum::Scaling narrow(const Layer& layer, const Norm& norm1, const Norm& norm2, const Batch& batch,
                       const Forward& found, Kept& kept) {
  const std::vector<int64_t>& lanes = found.shape.lanes;
  const int64_t blocks = lanes.size();
  const lyceum::Scaling first = lyceum::settle(norm1, found.statistics).scaling;
  const std::vector<float> scale = lyceum::in_lanes(lanes, first.scale.data());
  const std::vector<float> shift = lyceum::in_lanes(lanes, first.shift.data());
  std::vector<float> weights(blocks * kLanes * found.shape.inner);
  lyceum::pack_narrow(layer.narrow, lanes, weights.data());
  lyceum::PartMoments moments(batch.parts, found.shape.inner);
  const float* grown = found.grown.data_ptr<float>();
  float* z = kept.z.data_ptr<float>();
  batch.each([&](int64_t part, int64_t image) {
    float* to = z + batch.inner_at(image);
    lyceum::kernels().pointwise.convolve({grown + image * batch.plane, batch.block_stride(), blocks,
                                          batch.pixels, lanes.data(), scale.data(), shift.data()},
                                         weights.data(), nullptr,
                                         scratch(pointwise::scratch_size(blocks)),
                                         {to, batch.plane, batch.inner_blocks});
    const Channels c = batch.inner(1);
    lyceum::kernels().batch_norm.find_moments(to, c, 0, c.tiles(), moments[part]);
  });
  lyceum::Settled second = lyceum::settle(norm2, moments.all());
  kept.mean = second.mean;
  kept.inverse = second.inverse;
  return std::move(second.scaling);
}

// norm2 and conv3x3, beside what is there.
void widen(const Layer& layer, const lyceum::Scaling& scaling, const Batch& batch, Forward& found,
           const Kept& kept) {
  DenseShape& shape = found.shape;
  const int64_t inner = shape.inner;
  const at::Tensor padded = lyceum::padded_wide(layer.wide);
  std::vector<float> weights(winograd::packed_size(inner, kLanes));
  lyceum::kernels().winograd.pack({padded.data_ptr<float>(), 9 * inner, 9, 3, 1}, tiled(shape, 1),
                                  false, 0, inner, weights.data());
  const int64_t working = winograd::scratch_size<winograd::ConvolutionGroup>(tiled(shape, 1));
  lyceum::PartMoments moments(batch.parts, kLanes);
  const float* z = kept.z.data_ptr<float>();
  float* grown = found.grown.data_ptr<float>() + int64_t(shape.lanes.size()) * batch.block_stride();
  batch.each_group(batch.at_once, [&](int64_t part, int64_t begin, int64_t end, int64_t next) {
    float* memory = scratch(working + batch.inner_at(batch.at_once));
    float* y = memory + working;
    const Channels c = batch.inner(end - begin), c_grown = batch.blocks(1, end - begin);
    lyceum::kernels().batch_norm.apply(
        lyceum::batch_norm::Apply<float>{z + batch.inner_at(begin), nullptr, scaling.scale.data(),
                                         scaling.shift.data(), y, true},
        c, 0, c.tiles());
    const winograd::Shape some = tiled(shape, end - begin);
    float* to = grown + begin * batch.plane;
    winograd::Prefetch ahead;
    batch.ask_inner(ahead, z, end, next);
    batch.ask_block(ahead, grown, end, next);
    lyceum::kernels().winograd.convolve(some, y, weights.data(), {}, 0, some.tiles(), memory, to,
                                        ahead);
    lyceum::kernels().batch_norm.find_moments(to, c_grown, 0, c_grown.tiles(), moments[part]);
  });
  shape.lanes.push_back(shape.growth);
  append(found.statistics, moments.all(), &shape.lanes.back());
}

// As it lies outside.
void write_result(const Batch& batch, Forward& found) {
  const DenseShape& shape = found.shape;
  found.y = at::empty({batch.size, shape.channels(), shape.height, shape.width},
                      found.grown.options(), at::MemoryFormat::ChannelsLast);
  const float* grown = found.grown.data_ptr<float>();
  float* y = found.y.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    lyceum::write_lanes(shape, grown + image * batch.plane, batch.block_stride(),
                        y + image * batch.pixels * shape.channels());
  });
}

// The averages of relu(norm(x)).
void write_averages(const Batch& batch, const Norm& norm, at::IntArrayRef window, Forward& found) {
  const std::vector<int64_t>& lanes = found.shape.lanes;
  const lyceum::Scaling scaling = lyceum::settle(norm, found.statistics).scaling;
  const std::vector<float> scale = lyceum::in_lanes(lanes, scaling.scale.data());
  const std::vector<float> shift = lyceum::in_lanes(lanes, scaling.shift.data());
  const DenseShape small = found.shape.averaged(kName, window);
  const pointwise::Windows windows{small.height, small.width, window[0], window[1]};
  const int64_t blocks = lanes.size(), channels = small.channels();
  found.y = at::empty({batch.size, channels, small.height, small.width}, found.grown.options(),
                      at::MemoryFormat::ChannelsLast);
  const float* grown = found.grown.data_ptr<float>();
  float* y = found.y.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    float* averages = scratch(blocks * small.plane());
    lyceum::kernels().pointwise.average({grown + image * batch.plane, batch.block_stride(), blocks,
                                         batch.pixels, lanes.data(), scale.data(), shift.data()},
                                        windows, averages);
    lyceum::write_lanes(small, averages, small.plane(), y + image * small.pixels() * channels);
  });
}

Forward forward(const at::Tensor& x_given, at::TensorList parameters, at::TensorList averages,
                at::IntArrayRef window, double momentum, double eps) {
  Forward found{check(x_given, parameters, averages, window), {}, {}, {}, {}};
  const at::Tensor x = x_given.contiguous(at::MemoryFormat::ChannelsLast);
  DenseShape& shape = found.shape;
  const Batch batch(shape, x.size(0));
  found.layers.resize(layers_of(parameters));
  const int64_t blocks = shape.in_blocks() + int64_t(found.layers.size());
  found.grown = at::empty({blocks, batch.size, batch.pixels, kLanes}, x.options());
  read_input(x, batch, found);
  for (size_t i = 0; i < found.layers.size(); i++) {
    const Layer layer = Layer::of(&parameters[kParameters * i]);
    const at::Tensor* a = &averages[kAverages * i];
    Kept& kept = found.layers[i];
    kept.z = at::empty({batch.size, batch.inner_blocks, batch.pixels, kLanes}, x.options());
    const Norm norm1{layer.weight1, layer.bias1, a[0], a[1], momentum, eps};
    const Norm norm2{layer.weight2, layer.bias2, a[2], a[3], momentum, eps};
    const lyceum::Scaling scaling = narrow(layer, norm1, norm2, batch, found, kept);
    widen(layer, scaling, batch, found, kept);
  }
  if (window.empty()) {
    write_result(batch, found);
  } else {
    const at::Tensor *p = &parameters[parameters.size() - kAfter],
                     *a = &averages[averages.size() - kAfter];
    write_averages(batch, {p[0], p[1], a[0], a[1], momentum, eps}, window, found);
  }
  for (const at::Tensor& average : averages) average.unsafeGetTensorImpl()->bump_version();
  return found;
}

at::Tensor dense_block(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                       at::IntArrayRef window, double momentum, double eps) {
  return forward(x, parameters, averages, window, momentum, eps).y;
}

// What backward goes with from layer to layer. Vectors are of lanes.
struct Backward {
  // With the lanes of the layers that are left.
  DenseShape shape;
  Batch batch;
  at::Tensor grown, d_grown;
  std::vector<float> mean, inverse, along, level;
  // Whether a norm comes after the block.
  bool after;
};

// Scale and shift of a norm with this weight and bias.
struct LaneScaling {
  LaneScaling(const at::Tensor& weight, const at::Tensor& bias, const Backward& at)
      : scale(lyceum::in_lanes(at.shape.lanes, weight.data_ptr<float>())),
        shift(lyceum::in_lanes(at.shape.lanes, bias.data_ptr<float>())) {
    for (size_t i = 0; i < scale.size(); i++) {
      const double slope = double(scale[i]) * at.inverse[i];
      scale[i] = float(slope);
      shift[i] = float(shift[i] - at.mean[i] * slope);
    }
  }

  std::vector<float> scale, shift;
};

// Of each lane, in parts: a norm's gradients that came through the ReLU, and their products with x
// - mean.
struct Sums {
  Sums(const Backward& at)
      : values(at.shape.lanes.size() * kLanes),
        sums(at.batch.parts * values),
        products(at.batch.parts * values) {}

  // The gradients of weight and bias; channels take what the norm's statistics add to theirs.
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

using NormGradient = lyceum::NormGradient<float>;

// conv3x3's gradients: to its weight, and to what lies before it, whose sums norm2 takes.
at::Tensor widen_backward(const Layer& layer, const Kept& kept, const Backward& at,
                          NormGradient& norm2, at::Tensor& d_wide) {
  const Batch& batch = at.batch;
  const int64_t inner = at.shape.inner, size = winograd::packed_size(inner, kLanes);
  const at::Tensor padded = lyceum::padded_wide(layer.wide);
  const winograd::Shape one = tiled(at.shape, 1);
  std::vector<float> weights(size);
  lyceum::kernels().winograd.pack({padded.data_ptr<float>(), 9, 9 * inner, 3, 1}, turned(one), true,
                                  0, kLanes, weights.data());
  const at::Tensor sums = at::zeros({batch.parts, size}, padded.options());
  const at::Tensor d_inner = at::empty_like(kept.z);
  const int64_t working = std::max(winograd::scratch_size<winograd::ConvolutionGroup>(turned(one)),
                                   winograd::scratch_size<winograd::GradientGroup>(one));
  const int64_t block = at.shape.lanes.size(), lane = block * kLanes;
  // By a later layer, or by what comes after the block.
  const bool normalised = at.after || lane + kLanes < int64_t(at.mean.size());
  const float *z = kept.z.data_ptr<float>(),
              *grown = at.grown.data_ptr<float>() + block * batch.block_stride();
  const float* d_grown = at.d_grown.data_ptr<float>() + block * batch.block_stride();
  float *sums_of = sums.data_ptr<float>(), *d = d_inner.data_ptr<float>();
  const lyceum::Scaling& scaling = norm2.scaling();
  batch.each_group(batch.at_once, [&](int64_t part, int64_t begin, int64_t end, int64_t next) {
    float* memory = scratch(working + batch.inner_at(batch.at_once) + batch.at_once * batch.plane);
    float* y = memory + working;
    const Channels c = batch.inner(end - begin);
    const int64_t first = batch.inner_at(begin), grown_at = begin * batch.plane;
    const float* dy = d_grown + grown_at;
    if (normalised) {
      float* with_statistics = y + batch.inner_at(batch.at_once);
      lyceum::kernels().pointwise.add_statistics(dy, grown + grown_at, &at.mean[lane],
                                                 &at.along[lane], &at.level[lane],
                                                 (end - begin) * batch.pixels, with_statistics);
      dy = with_statistics;
    }
    lyceum::kernels().batch_norm.apply(
        lyceum::batch_norm::Apply<float>{z + first, nullptr, scaling.scale.data(),
                                         scaling.shift.data(), y, true},
        c, 0, c.tiles());
    const winograd::Shape some = tiled(at.shape, end - begin);
    winograd::Prefetch after, ahead;
    batch.ask_inner(after, d, begin, end);
    lyceum::kernels().winograd.sum_weights(some, y, dy, 0, some.tiles(), memory,
                                           sums_of + part * size, after);
    batch.ask_inner(ahead, z, end, next);
    batch.ask_block(ahead, d_grown, end, next);
    batch.ask_block(ahead, grown, end, next);
    lyceum::kernels().winograd.convolve(turned(some), dy, weights.data(), {}, 0, some.tiles(),
                                        memory, d + first, ahead);
    norm2.sum(part, {d + first, z + first}, c, 0, c.tiles());
  });
  lyceum::kernels().winograd.unpack(one, sums_of, batch.parts, 0, inner, padded.data_ptr<float>(),
                                    9 * inner, 9, 3, 1);
  d_wide = at::empty_like(layer.wide).copy_(padded.narrow(0, 0, at.shape.growth));
  norm2.settle(double(batch.size * batch.pixels));
  return d_inner;
}

// [K, C, 1, 1] to [K, blocks, 16].
std::vector<float> transposed(const at::Tensor& narrow, const std::vector<int64_t>& lanes) {
  const at::Tensor rows = narrow.contiguous();
  std::vector<float> all;
  for (int64_t k = 0; k < rows.size(0); k++) {
    const std::vector<float> row =
        lyceum::in_lanes(lanes, rows.data_ptr<float>() + k * rows.size(1));
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

// conv1x1's gradients and norm1's, as far as it does not need the sums of the whole batch, which
// the channels take along.
void narrow_backward(const Layer& layer, const Kept& kept, const at::Tensor& d_inner,
                     const NormGradient& norm2, Backward& at, at::Tensor* found) {
  const Batch& batch = at.batch;
  const std::vector<int64_t>& lanes = at.shape.lanes;
  const int64_t blocks = lanes.size(), values = blocks * kLanes, channels = at.shape.channels(),
                inner = at.shape.inner;
  const auto [scale, shift] = LaneScaling(layer.weight1, layer.bias1, at);
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
    lyceum::kernels().pointwise.add_gradient(
        {grown + image * batch.plane, batch.block_stride(), blocks, batch.pixels, lanes.data(),
         scale.data(), shift.data()},
        {dz, batch.plane, batch.inner_blocks, weights.data(), at.mean.data(),
         d_grown + image * batch.plane, d_weights_of + part * values * inner,
         &sums.sums[part * values], &sums.products[part * values]},
        memory);
  });
  sums.settle(scale, at, found[0], found[1]);
  const at::Tensor d_rows = at::empty({channels, inner}, kept.z.options()),
                   summed = d_weights.sum(0);
  for (int64_t block = 0, channel = 0; block < blocks; channel += lanes[block++]) {
    std::copy_n(summed.data_ptr<float>() + block * kLanes * inner, lanes[block] * inner,
                d_rows.data_ptr<float>() + channel * inner);
  }
  found[2] = at::empty_like(layer.narrow).copy_(d_rows.t().reshape(layer.narrow.sizes()));
}

// The gradient of the whole block's result, by lanes.
void read_gradient(const at::Tensor& dy, const Backward& at) {
  const Batch& batch = at.batch;
  const float* from = dy.data_ptr<float>();
  float* to = at.d_grown.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    lyceum::read_lanes(at.shape, from + image * batch.pixels * at.shape.channels(),
                       batch.block_stride(), to + image * batch.plane);
  });
}

// The same from that of the averages of relu(norm(x)).
void average_backward(const at::Tensor& dy, const at::Tensor* norm, at::IntArrayRef window,
                      Backward& at, at::Tensor* found) {
  const Batch& batch = at.batch;
  const std::vector<int64_t>& lanes = at.shape.lanes;
  const auto [scale, shift] = LaneScaling(norm[0], norm[1], at);
  const DenseShape small = at.shape.averaged(kName, window);
  const pointwise::Windows windows{small.height, small.width, window[0], window[1]};
  const int64_t blocks = lanes.size();
  Sums sums(at);
  const float *from = dy.data_ptr<float>(), *grown = at.grown.data_ptr<float>();
  float* to = at.d_grown.data_ptr<float>();
  batch.each([&](int64_t part, int64_t image) {
    float* d = scratch(blocks * small.plane());
    lyceum::read_lanes(small, from + image * small.pixels() * small.channels(), small.plane(), d);
    lyceum::kernels().pointwise.average_gradient(
        {grown + image * batch.plane, batch.block_stride(), blocks, batch.pixels, lanes.data(),
         scale.data(), shift.data()},
        windows, d, at.mean.data(), to + image * batch.plane, &sums.sums[part * sums.values],
        &sums.products[part * sums.values]);
  });
  sums.settle(scale, at, found[0], found[1]);
}

// x's gradient, with what the statistics add to it.
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
      lyceum::kernels().pointwise.add_statistics(d_grown + from, grown + from, &at.mean[lane],
                                                 &at.along[lane], &at.level[lane], batch.pixels,
                                                 d + block * batch.plane);
    }
    lyceum::write_lanes(shape, d, batch.plane, to + image * batch.pixels * shape.in_channels);
  });
  return dx;
}

class DenseBlock : public torch::autograd::Function<DenseBlock> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            at::TensorList parameters_given, at::TensorList averages,
                            at::IntArrayRef window, double momentum, double eps) {
    const variable_list parameters = lyceum::aliases_of(parameters_given);
    at::AutoDispatchBelowADInplaceOrView below;
    const Forward found = ::forward(x, parameters, averages, window, momentum, eps);
    const auto lanes_of = [&](const std::vector<double>& values) {
      const std::vector<float> floats(values.begin(), values.end());
      const std::vector<float> lanes = lyceum::in_lanes(found.shape.lanes, floats.data());
      return at::tensor(lanes);
    };
    std::vector<double> inverse;
    for (const double variance : found.statistics.variance) {
      inverse.push_back(1 / std::sqrt(variance + eps));
    }
    variable_list saved{found.grown, lanes_of(found.statistics.mean), lanes_of(inverse)};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    for (const Kept& layer : found.layers) {
      saved.insert(saved.end(), {layer.z, layer.mean, layer.inverse});
    }
    context->save_for_backward(std::move(saved));
    context->saved_data["channels"] = found.shape.in_channels;
    context->saved_data["height"] = found.shape.height;
    context->saved_data["width"] = found.shape.width;
    context->saved_data["window"] = window.vec();
    return found.y;
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "dense_block: has no second derivative; float64 takes separate layers, which have");
    const variable_list saved = context->get_saved_variables();
    const auto number = [&](const char* name) { return context->saved_data[name].toInt(); };
    const std::vector<int64_t> window = context->saved_data["window"].toIntVector();
    const size_t after = window.empty() ? 0 : kAfter;
    constexpr size_t kFirst = 3;
    const size_t count = (saved.size() - kFirst - after) / (kParameters + Kept::kTensors);
    const at::Tensor *parameters = &saved[kFirst], *norm = parameters + kParameters * count,
                     *kept = norm + after;
    const at::Tensor& wide = parameters[5];
    DenseShape shape(number("channels"), wide.size(1), wide.size(0), number("height"),
                     number("width"));
    for (size_t i = 0; i < count; i++) shape.lanes.push_back(shape.growth);
    const auto vector = [&](const at::Tensor& values) {
      return std::vector<float>(values.data_ptr<float>(),
                                values.data_ptr<float>() + values.numel());
    };
    Backward at{shape,
                Batch(shape, saved[0].size(1)),
                saved[0],
                at::empty_like(saved[0]),
                vector(saved[1]),
                vector(saved[2]),
                {},
                {},
                after > 0};
    at.along.resize(at.mean.size());
    at.level.resize(at.mean.size());

    // All inputs' gradients in their order; averages have none.
    variable_list found(1 + (kParameters + kAverages) * count + 2 * after + 3);
    const at::Tensor dy = gradients[0].resolve_neg().contiguous(at::MemoryFormat::ChannelsLast);
    if (after > 0) {
      average_backward(dy, norm, window, at, &found[1 + kParameters * count]);
    } else {
      read_gradient(dy, at);
    }
    for (size_t i = count; i-- > 0;) {
      const Layer layer = Layer::of(parameters + kParameters * i);
      const at::Tensor* k = kept + Kept::kTensors * i;
      const Kept of{k[0], k[1], k[2]};
      at::Tensor* to = &found[1 + kParameters * i];
      at.shape.lanes.pop_back();
      NormGradient norm2(layer.weight2, layer.bias2, of.mean, of.inverse, true, at.batch.parts);
      const at::Tensor d_inner = widen_backward(layer, of, at, norm2, to[5]);
      to[3] = norm2.weight;
      to[4] = norm2.bias;
      narrow_backward(layer, of, d_inner, norm2, at, to);
    }
    if (context->needs_input_grad(0)) found[0] = write_input_gradient(at);
    return found;
  }
};

at::Tensor dense_block_autograd(const at::Tensor& x, at::TensorList parameters,
                                at::TensorList averages, at::IntArrayRef window, double momentum,
                                double eps) {
  return DenseBlock::apply(x, parameters, averages, window, momentum, eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "dense_block(Tensor x, Tensor[] parameters, Tensor(a!)[] averages, int[] window, float "
      "momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("dense_block", dense_block); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("dense_block", dense_block_autograd); }
