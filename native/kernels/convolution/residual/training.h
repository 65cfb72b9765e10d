// The basic blocks of a residual network in training: what their forward and their backward pass
// have in common. The operator (residual_stage.cpp) says what is computed.
#pragma once

#include <functional>
#include <vector>

#include "kernels/batch_norm/steps.h"
#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"

namespace lyceum::residual {

constexpr int64_t kOnes[2] = {1, 1};

// The parameters of a block are the convolution's weight and the norm's weight and bias, twice; its
// averages the running mean and variance, twice.
constexpr size_t kParameters = 6, kAverages = 4;

struct Block {
  const at::Tensor& weight1;
  Norm norm1;
  const at::Tensor& weight2;
  Norm norm2;
  Window window1, window2;
};

struct Stage {
  at::TensorList parameters, averages;
  int64_t strides[2];
  bool allow_winograd;
  double momentum, eps;

  size_t count() const { return parameters.size() / kParameters; }

  Window window1(size_t i) const {
    return {i == 0 ? at::IntArrayRef(strides) : kOnes, kOnes, allow_winograd};
  }
  Window window2() const { return {kOnes, kOnes, allow_winograd}; }

  Block operator[](size_t i) const {
    const at::Tensor *p = &parameters[kParameters * i], *a = &averages[kAverages * i];
    return {p[0],       {p[1], p[2], a[0], a[1], momentum, eps},
            p[3],       {p[4], p[5], a[2], a[3], momentum, eps},
            window1(i), window2()};
  }
};

// What the forward pass makes of one block.
struct Kept {
  Settled first, second;
  at::Tensor z1;
  // Undefined where the backward pass works it out again.
  at::Tensor y1;
  at::Tensor z2, shortcut, y2;
};

// Some images of a tensor in blocks: where they begin, in floats, and how their channels lie.
struct Images {
  Images(const Channels& all, int64_t begin, int64_t end)
      : offset(begin * all.segment_stride), channels(all) {
    channels.segments = end - begin;
  }

  int64_t offset;
  Channels channels;
};

// Writes relu(norm(z)) of some images to `y`.
void write_inner(const at::Tensor& z, const Scaling& scaling, int64_t begin, int64_t end, float* y);

inline Prefetched images_of(const at::Tensor& x) {
  return {x.data_ptr(), x.stride(0) * x.element_size()};
}

// Takes the statistics into the running averages too. Throws c10::Error for tensors that do not
// fit.
std::vector<Kept> forward(const at::Tensor& x, const Stage& stage, const at::Tensor& shortcut);

// What the forward pass saved of a block.
struct Saved {
  static constexpr size_t kTensors = 8;

  const at::Tensor &z1, &y1, &z2, &y2, &mean1, &inverse1, &mean2, &inverse2;

  static Saved of(const at::Tensor* s) { return {s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]}; }
};

struct Gradients {
  at::Tensor x, shortcut;
  // The gradients of all blocks' parameters, in the stage's order.
  std::vector<at::Tensor> parameters;
};

// `saved` are Saved::kTensors of each block. `with_shortcut` says whether the first block's
// shortcut was given, and `weights1_wanted` of which blocks' first weights the gradient is needed.
// The stage's averages are not looked at.
Gradients backward(const at::Tensor& dy, const at::Tensor& x, const Stage& stage,
                   at::TensorList saved, bool with_shortcut, bool x_wanted,
                   const std::vector<bool>& weights1_wanted);

}  // namespace lyceum::residual
