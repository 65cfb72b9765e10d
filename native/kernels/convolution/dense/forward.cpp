#include <ATen/ops/empty.h>

#include "kernels/convolution/dense/training.h"
#include "kernels/scratch.h"

namespace lyceum::dense {

float* scratch(int64_t size) {
  thread_local Scratch one;
  return one.of(size);
}

namespace {

// Appends the statistics of blocks of lanes, leaving out unused ones.
void append(Statistics& all, const Statistics& found, const int64_t* lanes) {
  for (size_t lane = 0; lane < found.mean.size(); lane++) {
    if (int64_t(lane) % kLanes >= lanes[lane / kLanes]) continue;
    all.mean.push_back(found.mean[lane]);
    all.variance.push_back(found.variance[lane]);
  }
  all.count = found.count;
}

size_t layers_of(at::TensorList parameters) { return parameters.size() / kParameters; }

// The parameters of each layer, and of the norm that comes after them.
void check_parameters(const DenseShape& shape, at::TensorList parameters, size_t after) {
  const size_t count = layers_of(parameters);
  const auto channels = [&](size_t i) { return shape.in_channels + int64_t(i) * shape.growth; };
  for (size_t i = 0; i < count; i++) {
    const at::Tensor* p = &parameters[kParameters * i];
    check_dense_weights(kName, shape, channels(i), p[2], p[5]);
    for (const int j : {0, 1}) {
      check_dense_values(kName, p[j], channels(i), "a first norm's");
    }
    for (const int j : {3, 4}) {
      check_dense_values(kName, p[j], shape.inner, "a second norm's");
    }
  }
  for (const at::Tensor& values : parameters.slice(parameters.size() - after)) {
    check_dense_values(kName, values, channels(count), "the last norm's");
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
  const DenseShape shape = dense_shape(kName, x, parameters[2], parameters[5]);
  TORCH_CHECK(x.size(0) > 0, kName, ": a batch of no images has no statistics");
  if (after > 0) shape.averaged(kName, window);
  check_parameters(shape, parameters, after);
  for (size_t i = 0; i < averages.size(); i++) {
    // Averages belong to a layer's first norm, to its second, or to the last norm.
    const size_t layer = i / kAverages;
    const bool second = layer < count && i % kAverages >= 2;
    const int64_t channels =
        second ? shape.inner : shape.in_channels + int64_t(layer) * shape.growth;
    check_dense_values(kName, averages[i], channels, "each of averages");
  }
  return shape;
}

// x to its blocks, with their moments.
void read_input(const at::Tensor& x, const Batch& batch, ForwardResult& found) {
  const DenseShape& shape = found.shape;
  const int64_t blocks = shape.in_blocks();
  PartMoments moments(batch.parts, blocks * kLanes);
  const float* from = x.data_ptr<float>();
  float* grown = found.grown.data_ptr<float>();
  batch.each([&](int64_t part, int64_t image) {
    float* to = grown + image * batch.plane;
    read_lanes(shape, from + image * batch.pixels * shape.in_channels, batch.block_stride(), to);
    const Channels c = batch.blocks(blocks, 1);
    kernels().batch_norm.find_moments(to, c, 0, c.tiles(), moments[part]);
  });
  append(found.statistics, moments.all(), shape.lanes.data());
}

// norm1 and conv1x1; norm2 is settled then.
Scaling narrow(const Layer& layer, const Norm& norm1, const Norm& norm2, const Batch& batch,
               const ForwardResult& found, Kept& kept) {
  const std::vector<int64_t>& lanes = found.shape.lanes;
  const int64_t blocks = lanes.size();
  const Scaling first = settle(norm1, found.statistics).scaling;
  const std::vector<float> scale = in_lanes(lanes, first.scale.data());
  const std::vector<float> shift = in_lanes(lanes, first.shift.data());
  std::vector<float> weights(blocks * kLanes * found.shape.inner);
  pack_narrow(layer.narrow, lanes, weights.data());
  PartMoments moments(batch.parts, found.shape.inner);
  const float* grown = found.grown.data_ptr<float>();
  float* z = kept.z.data_ptr<float>();
  batch.each([&](int64_t part, int64_t image) {
    float* to = z + batch.inner_at(image);
    kernels().pointwise.convolve({grown + image * batch.plane, batch.block_stride(), blocks,
                                  batch.pixels, lanes.data(), scale.data(), shift.data()},
                                 weights.data(), nullptr, scratch(pointwise::scratch_size(blocks)),
                                 {to, batch.plane, batch.inner_blocks});
    const Channels c = batch.inner(1);
    kernels().batch_norm.find_moments(to, c, 0, c.tiles(), moments[part]);
  });
  Settled second = settle(norm2, moments.all());
  kept.mean = second.mean;
  kept.inverse = second.inverse;
  return std::move(second.scaling);
}

// norm2 and conv3x3, beside what is there.
void widen(const Layer& layer, const Scaling& scaling, const Batch& batch, ForwardResult& found,
           const Kept& kept) {
  DenseShape& shape = found.shape;
  const int64_t inner = shape.inner;
  const at::Tensor padded = padded_wide(layer.wide);
  std::vector<float> weights(winograd::packed_size(inner, kLanes));
  kernels().winograd.pack({padded.data_ptr<float>(), 9 * inner, 9, 3, 1}, tiled(shape, 1), false, 0,
                          inner, weights.data());
  const int64_t working = winograd::scratch_size<winograd::ConvolutionGroup>(tiled(shape, 1));
  PartMoments moments(batch.parts, kLanes);
  const float* z = kept.z.data_ptr<float>();
  float* grown = found.grown.data_ptr<float>() + int64_t(shape.lanes.size()) * batch.block_stride();
  batch.each_group(batch.at_once, [&](int64_t part, int64_t begin, int64_t end, int64_t next) {
    float* memory = scratch(working + batch.inner_at(batch.at_once));
    float* y = memory + working;
    const Channels c = batch.inner(end - begin), c_grown = batch.blocks(1, end - begin);
    kernels().batch_norm.apply(
        batch_norm::Apply<float>{z + batch.inner_at(begin), nullptr, scaling.scale.data(),
                                 scaling.shift.data(), y, true},
        c, 0, c.tiles());
    const winograd::Shape some = tiled(shape, end - begin);
    float* to = grown + begin * batch.plane;
    winograd::Prefetch prefetch;
    batch.prefetch_inner(prefetch, z, end, next);
    batch.prefetch_block(prefetch, grown, end, next);
    kernels().winograd.convolve(some, y, weights.data(), {}, 0, some.tiles(), memory, to, prefetch);
    kernels().batch_norm.find_moments(to, c_grown, 0, c_grown.tiles(), moments[part]);
  });
  shape.lanes.push_back(shape.growth);
  append(found.statistics, moments.all(), &shape.lanes.back());
}

// The result in channels-last.
void write_result(const Batch& batch, ForwardResult& found) {
  const DenseShape& shape = found.shape;
  found.y = at::empty({batch.size, shape.channels(), shape.height, shape.width},
                      found.grown.options(), at::MemoryFormat::ChannelsLast);
  const float* grown = found.grown.data_ptr<float>();
  float* y = found.y.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    write_lanes(shape, grown + image * batch.plane, batch.block_stride(),
                y + image * batch.pixels * shape.channels());
  });
}

// The averages of relu(norm(x)).
void write_averages(const Batch& batch, const Norm& norm, at::IntArrayRef window,
                    ForwardResult& found) {
  const std::vector<int64_t>& lanes = found.shape.lanes;
  const Scaling scaling = settle(norm, found.statistics).scaling;
  const std::vector<float> scale = in_lanes(lanes, scaling.scale.data());
  const std::vector<float> shift = in_lanes(lanes, scaling.shift.data());
  const DenseShape small = found.shape.averaged(kName, window);
  const pointwise::Windows windows{small.height, small.width, window[0], window[1]};
  const int64_t blocks = lanes.size(), channels = small.channels();
  found.y = at::empty({batch.size, channels, small.height, small.width}, found.grown.options(),
                      at::MemoryFormat::ChannelsLast);
  const float* grown = found.grown.data_ptr<float>();
  float* y = found.y.data_ptr<float>();
  batch.each([&](int64_t, int64_t image) {
    float* averages = scratch(blocks * small.plane());
    kernels().pointwise.average({grown + image * batch.plane, batch.block_stride(), blocks,
                                 batch.pixels, lanes.data(), scale.data(), shift.data()},
                                windows, averages);
    write_lanes(small, averages, small.plane(), y + image * small.pixels() * channels);
  });
}

}  // namespace

ForwardResult forward(const at::Tensor& x_given, at::TensorList parameters, at::TensorList averages,
                      at::IntArrayRef window, double momentum, double eps) {
  ForwardResult found{check(x_given, parameters, averages, window), {}, {}, {}, {}};
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
    const Scaling scaling = narrow(layer, norm1, norm2, batch, found, kept);
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

}  // namespace lyceum::dense
