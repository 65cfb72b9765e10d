// The bottlenecks of a residual network in training: what their forward and their backward pass
// have in common. The operator (bottleneck_stage.cpp) says what is computed.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/batch_norm/steps.h"
#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"

namespace lyceum::bottleneck {

constexpr int64_t kOnes[2] = {1, 1}, kZeros[2] = {0, 0};

// The three layers of a block. The parameters of each are the convolution's weight and the norm's
// weight and bias; its averages the running mean and variance.
constexpr size_t kLayers = 3, kParameters = 3 * kLayers, kAverages = 2 * kLayers;

struct Stage {
  at::TensorList parameters, averages;
  int64_t strides[2];
  bool allow_winograd;
  double momentum, eps;

  size_t count() const { return parameters.size() / kParameters; }

  const at::Tensor& weight(size_t block, size_t layer) const {
    return parameters[kParameters * block + 3 * layer];
  }
  const at::Tensor& scale(size_t block, size_t layer) const {
    return parameters[kParameters * block + 3 * layer + 1];
  }
  const at::Tensor& shift(size_t block, size_t layer) const {
    return parameters[kParameters * block + 3 * layer + 2];
  }
  Norm norm(size_t block, size_t layer) const {
    const at::Tensor* a = &averages[kAverages * block + 2 * layer];
    return {scale(block, layer), shift(block, layer), a[0], a[1], momentum, eps};
  }

  static Window pointwise() { return {kOnes, kZeros, false}; }
  // Of the 3x3 convolution of x.
  Window window(size_t block, const at::Tensor& x) const {
    return {block == 0 ? at::IntArrayRef(strides) : kOnes, kOnes,
            allow_winograd && pays_winograd(x)};
  }

  // Turning many weights costs more than few tiles of 4x4 pixels save.
  static bool pays_winograd(const at::Tensor& x) {
    const int64_t tiles = x.size(0) * ((x.size(2) + 3) / 4) * ((x.size(3) + 3) / 4);
    return channels_of(x) < 512 || tiles >= 64;
  }
};

// Some images after the other of tensors in blocks: 1x1 convolutions and what is done before and
// after them meet in the caches.
class ImageGroups {
 public:
  explicit ImageGroups(const at::Tensor& x)
      : batch_(x.size(0)), most_(std::clamp<int64_t>(kFloats * batch_ / x.numel(), 1, batch_)) {}

  int64_t count() const { return (batch_ + most_ - 1) / most_; }
  // The most images that a group has.
  int64_t most() const { return most_; }
  int64_t begin(int64_t group) const { return most_ * group; }
  int64_t size(int64_t group) const { return std::min(most_, batch_ - begin(group)); }
  at::Tensor of(const at::Tensor& x, int64_t group) const {
    return x.narrow(0, begin(group), size(group));
  }

 private:
  // 4 MiB of the widest activation.
  static constexpr int64_t kFloats = 1 << 20;

  int64_t batch_, most_;
};

// What the backward pass needs of a block, beside its parameters: each layer's convolution, z, and
// relu(norm(z)), with the shortcut in the last layer; each layer's mean and inverse deviation.
struct Saved {
  at::Tensor z[kLayers], y[kLayers], mean[kLayers], inverse[kLayers];

  static constexpr size_t kTensors = 4 * kLayers;
};

// Takes the statistics into the running averages too. Throws c10::Error for tensors that do not
// fit.
std::vector<Saved> forward(const at::Tensor& x, const Stage& stage, const at::Tensor& shortcut);

struct Gradients {
  at::Tensor x, shortcut;
  // The gradients of all blocks' parameters, in the stage's order.
  std::vector<at::Tensor> parameters;
};

// `with_shortcut` says whether the first block's shortcut was given. The stage's averages are not
// looked at.
Gradients backward(const at::Tensor& dy, const at::Tensor& x, const Stage& stage,
                   const std::vector<Saved>& saved, bool with_shortcut, bool x_wanted);

}  // namespace lyceum::bottleneck
