// Measures oneDNN's convolutions of the CIFAR networks by themselves: batch 128, hot memory, the best of 15 runs.
//   g++ -O2 bench/probes/convolutions.cpp -o /tmp/convolutions -ldnnl && /tmp/convolutions
// Prints a line for each dtype, order of memory and algorithm: ms, GFLOP/s by the definition (Winograd's algorithm needs
// fewer) and the kernel that oneDNN took, forward, backward to the input (data) and backward to the weights.
#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>

using dnnl::memory;
using Format = memory::format_tag;
using Type = memory::data_type;

namespace {

dnnl::engine engine(dnnl::engine::kind::cpu, 0);
dnnl::stream stream(engine);

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

memory filled(const memory::desc& description) {
  memory m(description, engine);
  std::memset(m.get_data_handle(), 0, description.get_size());
  return m;
}

struct Shape {
  int channels, size, filters, stride;
};
constexpr int kBatch = 128;

void report(const char* pass, double flops, const std::function<std::function<void()>(std::string&)>& make) {
  std::string kernel;
  try {
    const auto run = make(kernel);
    double best = 1e9;
    for (int i = 0; i < 17; i++) {
      const double start = now_ms();
      run();
      stream.wait();
      if (i > 1) best = std::min(best, now_ms() - start);
    }
    std::printf("  %s %6.2f ms %5.0f GFLOP/s [%s]", pass, best, flops / best / 1e6, kernel.c_str());
  } catch (const dnnl::error&) {
    std::printf("  %s none", pass);
  }
}

void measure(const Shape& s, Type type, Format order, dnnl::algorithm algorithm) {
  const int out = (s.size + 2 - 3) / s.stride + 1;
  const double flops = 2.0 * kBatch * out * out * s.channels * s.filters * 9;
  const Format in_order = s.channels % 16 == 0 ? order : Format::nhwc;
  const memory::desc x({kBatch, s.channels, s.size, s.size}, type, in_order);
  const memory::desc y({kBatch, s.filters, out, out}, type, order);
  // 8-bit numbers are for inference only, and activations have no sign.
  const bool bytes = type == Type::u8;
  const auto kind = bytes ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  const memory::desc w({s.filters, s.channels, 3, 3}, bytes ? Type::s8 : type, Format::any), dw(w.dims(), Type::f32, Format::any);
  const memory::dims stride{s.stride, s.stride}, pad{1, 1};
  const auto forward = [&] {
    return dnnl::convolution_forward::primitive_desc(
        {kind, algorithm, x, w, y, stride, pad, pad}, engine);
  };
  report("forward", flops, [&](std::string& kernel) {
    const auto pd = forward();
    kernel = pd.impl_info_str();
    const auto a = filled(pd.src_desc()), b = filled(pd.weights_desc()), c = filled(pd.dst_desc());
    return [=, run = dnnl::convolution_forward(pd)] {
      run.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    };
  });
  report("data", flops, [&](std::string& kernel) {
    const dnnl::convolution_backward_data::primitive_desc pd({algorithm, x, w, y, stride, pad, pad}, engine,
                                                             forward());
    kernel = pd.impl_info_str();
    const auto a = filled(pd.diff_src_desc()), b = filled(pd.weights_desc()), c = filled(pd.diff_dst_desc());
    return [=, run = dnnl::convolution_backward_data(pd)] {
      run.execute(stream, {{DNNL_ARG_DIFF_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DIFF_DST, c}});
    };
  });
  report("weights", flops, [&](std::string& kernel) {
    const dnnl::convolution_backward_weights::primitive_desc pd({algorithm, x, dw, y, stride, pad, pad}, engine,
                                                                forward());
    kernel = pd.impl_info_str();
    const auto a = filled(pd.src_desc()), b = filled(pd.diff_weights_desc()), c = filled(pd.diff_dst_desc());
    return [=, run = dnnl::convolution_backward_weights(pd)] {
      run.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_DIFF_WEIGHTS, b}, {DNNL_ARG_DIFF_DST, c}});
    };
  });
  std::printf("\n");
}

}  // namespace

int main() {
  const Shape shapes[] = {{3, 32, 16, 1}, {16, 32, 16, 1}, {16, 32, 32, 2}, {32, 16, 32, 1}, {32, 16, 64, 2}, {64, 8, 64, 1}};
  for (const Shape& s : shapes) {
    std::printf("%d to %d channels, %dx%d, stride %d\n", s.channels, s.filters, s.size, s.size, s.stride);
    std::printf(" float32  channels-last direct  ");
    measure(s, Type::f32, Format::nhwc, dnnl::algorithm::convolution_direct);
    std::printf(" float32  blocks        direct  ");
    measure(s, Type::f32, Format::nChw16c, dnnl::algorithm::convolution_direct);
    std::printf(" float32  blocks        Winograd");
    measure(s, Type::f32, Format::nChw16c, dnnl::algorithm::convolution_winograd);
    std::printf(" bfloat16 channels-last direct  ");
    measure(s, Type::bf16, Format::nhwc, dnnl::algorithm::convolution_direct);
    std::printf(" int8     channels-last direct  ");
    measure(s, Type::u8, Format::nhwc, dnnl::algorithm::convolution_direct);
  }
}
