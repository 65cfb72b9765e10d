// Convolutions by oneDNN's primitives, prepared once for each shape.
#include <oneapi/dnnl/dnnl.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "kernels/convolution/bfloat16.h"
#include "kernels/convolution/implementations.h"

namespace lyceum::onednn {
namespace {

using dnnl::memory;
using Format = memory::format_tag;
using Type = memory::data_type;

// The engine is never destroyed: at the end of the process the library may be gone before our
// statics are.
const dnnl::engine& cpu() {
  static const auto* one = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *one;
}
dnnl::stream& stream() {
  static auto* one = new dnnl::stream(cpu());
  return *one;
}
// A primitive has one scratchpad, which its runs share, so that only one may run at a time.
std::mutex& running() {
  static auto* one = new std::mutex();
  return *one;
}

auto key(const ConvolutionShape& s) {
  return std::make_tuple(s.batch, s.in_channels, s.height, s.width, s.out_channels, s.kernel_height,
                         s.kernel_width, s.stride_height, s.stride_width, s.pad_height, s.pad_width,
                         s.blocked, s.bfloat16, s.allow_winograd, s.bias, s.sum, s.relu,
                         s.weights_last, s.weights_turned, s.frozen, s.threads);
}
using Key = decltype(key({}));

// Networks have tens of shapes. A program that makes up shapes without end shall not fill the
// memory with primitives.
constexpr size_t kKept = 1024;

template <class Prepared>
Prepared& prepared(const ConvolutionShape& shape) {
  static auto* all = new std::map<Key, std::unique_ptr<Prepared>>();
  auto found = all->find(key(shape));
  if (found == all->end()) {
    auto made = std::make_unique<Prepared>(shape);
    if (all->size() >= kKept) all->clear();
    found = all->emplace(key(shape), std::move(made)).first;
  }
  return *found->second;
}

memory at(const memory::desc& description, const void* data) {
  return memory(description, cpu(), const_cast<void*>(data));
}

// The shape as oneDNN describes it.
struct Described {
  explicit Described(const ConvolutionShape& s)
      : type(s.bfloat16 ? Type::bf16 : Type::f32),
        x({s.batch, s.in_channels, s.height, s.width}, type,
          s.blocked ? Format::nChw16c : Format::nhwc),
        y({s.batch, s.out_channels, s.out_height(), s.out_width()}, type,
          s.blocked ? Format::nChw16c : Format::nhwc),
        weight({s.out_channels, s.in_channels, s.kernel_height, s.kernel_width}, Type::f32,
               s.weights_turned ? Format::iohw
               : s.weights_last ? Format::ohwi
                                : Format::oihw),
        any_weight(weight.dims(), type, Format::any),
        strides{s.stride_height, s.stride_width},
        padding{s.pad_height, s.pad_width} {
    if (s.bias) bias = memory::desc({s.out_channels}, Type::f32, Format::x);
    // Measured (docs/performance.md): from 32 channels on Winograd's is the faster one where oneDNN
    // has it.
    const bool winograd = s.allow_winograd && s.blocked && !s.bfloat16 && s.in_channels >= 32 &&
                          s.out_channels >= 32 && s.kernel_height == 3 && s.kernel_width == 3 &&
                          s.stride_height == 1 && s.stride_width == 1 && s.pad_height == 1 &&
                          s.pad_width == 1;
    algorithm =
        winograd ? dnnl::algorithm::convolution_winograd : dnnl::algorithm::convolution_direct;
  }

  Type type;
  memory::desc x, y, weight, any_weight, bias;
  memory::dims strides, padding;
  dnnl::algorithm algorithm;
};

// oneDNN has Winograd's algorithm for some processors only.
template <class Make>
auto with_algorithm(const Described& d, const Make& make) {
  if (d.algorithm == dnnl::algorithm::convolution_winograd) {
    try {
      return make(d.algorithm);
    } catch (const dnnl::error&) {
    }
  }
  return make(dnnl::algorithm::convolution_direct);
}

using ForwardDescriptor = dnnl::convolution_forward::primitive_desc;

ForwardDescriptor forward_descriptor(const ConvolutionShape& s) {
  Described d(s);
  dnnl::post_ops after;
  if (s.sum) after.append_sum();
  if (s.relu) after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(after);
  // For inference oneDNN transforms the weights beforehand, which pays only for those that stay.
  const auto kind =
      s.frozen ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  return with_algorithm(d, [&](dnnl::algorithm algorithm) {
    return ForwardDescriptor(
        {kind, algorithm, d.x, d.any_weight, d.bias, d.y, d.strides, d.padding, d.padding},
        attributes, cpu());
  });
}

// Weights in the layout that the primitive wants: laid out anew at every run, since they change at
// every step, or once for the caller to keep.
class Packed {
 public:
  Packed(const memory::desc& plain, const memory::desc& wanted)
      : from_(plain),
        wanted_(wanted),
        reorder_(dnnl::reorder::primitive_desc(cpu(), plain, cpu(), wanted)) {}

  memory pack(const void* weights) {
    if (!data_) data_ = memory(wanted_, cpu());
    return pack(weights, data_);
  }

  memory pack(const void* weights, memory to) {
    memory source = at(from_, weights);
    reorder_.execute(stream(), source, to);
    return to;
  }

  memory packed(const float* given) const { return at(wanted_, given); }

  Layout layout() const {
    constexpr size_t kFloat = sizeof(float);
    return {int64_t((wanted_.get_size() + kFloat - 1) / kFloat), name()};
  }

 private:
  // The FNV-1a hash of all that says how the weights lie.
  uint64_t name() const {
    uint64_t hash = 0xcbf29ce484222325;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&wanted_.data);
    for (size_t i = 0; i < sizeof wanted_.data; i++) hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
  }

  memory::desc from_, wanted_;
  memory data_;
  dnnl::reorder reorder_;
};

struct Forward {
  explicit Forward(const ConvolutionShape& s)
      : descriptor(forward_descriptor(s)),
        run(descriptor),
        weights(Described(s).weight, descriptor.weights_desc()) {}

  ForwardDescriptor descriptor;
  dnnl::convolution_forward run;
  Packed weights;
};

struct BackwardData {
  using Descriptor = dnnl::convolution_backward_data::primitive_desc;

  explicit BackwardData(const ConvolutionShape& s)
      : descriptor(describe(s)),
        run(descriptor),
        weights(Described(s).weight, descriptor.weights_desc()) {}

  static Descriptor describe(const ConvolutionShape& s) {
    Described d(s);
    return with_algorithm(d, [&](dnnl::algorithm algorithm) {
      return Descriptor({algorithm, d.x, d.any_weight, d.y, d.strides, d.padding, d.padding}, cpu(),
                        forward_descriptor(s));
    });
  }

  Descriptor descriptor;
  dnnl::convolution_backward_data run;
  Packed weights;
};

struct BackwardWeights {
  using Descriptor = dnnl::convolution_backward_weights::primitive_desc;

  explicit BackwardWeights(const ConvolutionShape& s)
      : descriptor(describe(s)),
        run(descriptor),
        plain(Described(s).weight),
        gradient(descriptor.diff_weights_desc(), cpu()),
        unpack(dnnl::reorder::primitive_desc(cpu(), descriptor.diff_weights_desc(), cpu(), plain)) {
  }

  static Descriptor describe(const ConvolutionShape& s) {
    Described d(s);
    // A gradient is summed in float32, whatever its terms are.
    const memory::desc any_gradient(d.weight.dims(), Type::f32, Format::any);
    return with_algorithm(d, [&](dnnl::algorithm algorithm) {
      return Descriptor(
          {algorithm, d.x, any_gradient, d.bias, d.y, d.strides, d.padding, d.padding}, cpu(),
          forward_descriptor(s));
    });
  }

  Descriptor descriptor;
  dnnl::convolution_backward_weights run;
  memory::desc plain;
  memory gradient;
  dnnl::reorder unpack;
};

using Arguments = std::unordered_map<int, memory>;

Layout packed_layout(const ConvolutionShape& shape) {
  const std::lock_guard<std::mutex> alone(running());
  return prepared<Forward>(shape).weights.layout();
}

void pack(const ConvolutionShape& shape, const void* weight, float* packed) {
  const std::lock_guard<std::mutex> alone(running());
  Packed& weights = prepared<Forward>(shape).weights;
  weights.pack(weight, weights.packed(packed));
}

void convolve(const ConvolutionShape& shape, const ForwardMemory& given) {
  const std::lock_guard<std::mutex> alone(running());
  auto& forward = prepared<Forward>(shape);
  Packed& weights = forward.weights;
  Arguments arguments{
      {DNNL_ARG_SRC, at(forward.descriptor.src_desc(), given.x)},
      {DNNL_ARG_WEIGHTS, given.packed ? weights.packed(given.packed) : weights.pack(given.weight)},
      {DNNL_ARG_DST, at(forward.descriptor.dst_desc(), given.y)}};
  if (shape.bias) arguments.emplace(DNNL_ARG_BIAS, at(forward.descriptor.bias_desc(), given.bias));
  forward.run.execute(stream(), arguments);
}

// oneDNN adds to what is there after a convolution only, not after its gradient. The gradient of a
// 1x1 convolution is one, by the turned weights.
bool adds_to_gradient(const ConvolutionShape& s) {
  return s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 &&
         s.stride_width == 1 && s.pad_height == 0 && s.pad_width == 0;
}

void add_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& given) {
  ConvolutionShape turned = shape;
  std::swap(turned.in_channels, turned.out_channels);
  turned.weights_turned = true;
  turned.bias = turned.relu = turned.weights_last = false;
  convolve(turned, {given.dy, given.weight, nullptr, given.dx});
}

void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& given) {
  if (shape.sum) return add_backward_data(shape, given);
  const std::lock_guard<std::mutex> alone(running());
  auto& backward = prepared<BackwardData>(shape);
  backward.run.execute(stream(),
                       {{DNNL_ARG_DIFF_DST, at(backward.descriptor.diff_dst_desc(), given.dy)},
                        {DNNL_ARG_WEIGHTS, backward.weights.pack(given.weight)},
                        {DNNL_ARG_DIFF_SRC, at(backward.descriptor.diff_src_desc(), given.dx)}});
}

void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& given) {
  const std::lock_guard<std::mutex> alone(running());
  auto& backward = prepared<BackwardWeights>(shape);
  Arguments arguments{{DNNL_ARG_SRC, at(backward.descriptor.src_desc(), given.x)},
                      {DNNL_ARG_DIFF_DST, at(backward.descriptor.diff_dst_desc(), given.dy)},
                      {DNNL_ARG_DIFF_WEIGHTS, backward.gradient}};
  if (shape.bias) {
    arguments.emplace(DNNL_ARG_DIFF_BIAS, at(backward.descriptor.diff_bias_desc(), given.d_bias));
  }
  backward.run.execute(stream(), arguments);
  memory plain = at(backward.plain, given.d_weight);
  backward.unpack.execute(stream(), backward.gradient, plain);
}

// Without AVX-512 oneDNN has only its reference kernels for blocks of sixteen channels.
bool suits(const ConvolutionShape& s, Pass) { return !s.blocked || has_avx512(); }

}  // namespace

const Implementation implementation{
    suits,           packed_layout,          pack,
    convolve,        convolve_backward_data, convolve_backward_weights,
    adds_to_gradient};

}  // namespace lyceum::onednn
