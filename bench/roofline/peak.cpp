// Measures the most that this machine can do: GFLOP/s of float32 in registers, and GB/s of memory by STREAM's triad.
// `roofline/peak.ts` compiles and runs it. Argument: the number of threads. Prints JSON.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <omp.h>

// A vector as wide as the registers of the compiler's target, and enough independent chains to keep two units busy.
#if defined(__AVX512F__)
constexpr int lanes = 16;
#else
constexpr int lanes = 8;
#endif
constexpr int chains = 12;
typedef float vector __attribute__((vector_size(lanes * sizeof(float))));

template <typename Body>
double seconds(Body body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename Body>
double best(int rounds, Body body) {
  double least = seconds(body);
  for (int round = 1; round < rounds; round++) {
    const double taken = seconds(body);
    if (taken < least) least = taken;
  }
  return least;
}

volatile float sink;

double gflops(int threads) {
  constexpr long turns = 20'000'000;
  const double taken = best(5, [] {
#pragma omp parallel
    {
      vector sums[chains], scale, shift;
      for (int lane = 0; lane < lanes; lane++) scale[lane] = 0.999f, shift[lane] = 0.001f;
      for (auto& sum : sums) sum = scale;
      for (long turn = 0; turn < turns; turn++) {
#pragma GCC unroll 12
        for (int chain = 0; chain < chains; chain++) sums[chain] = sums[chain] * scale + shift;
      }
      vector all = sums[0];
      for (int chain = 1; chain < chains; chain++) all += sums[chain];
      sink = all[0];
    }
  });
  return 2.0 * threads * turns * chains * lanes / taken / 1e9;
}

double gigabytes() {
  constexpr long count = 32 << 20;  // 128 MiB each, far beyond the caches
  std::unique_ptr<float[]> a(new float[count]), b(new float[count]), c(new float[count]);
  // Each thread first touches the memory that it will use, so that the kernel places it near.
#pragma omp parallel for
  for (long i = 0; i < count; i++) a[i] = 0, b[i] = 1, c[i] = 2;
  float *to = a.get(), *from = b.get(), *other = c.get();
  const double taken = best(7, [=] {
#pragma omp parallel for simd
    for (long i = 0; i < count; i++) to[i] = from[i] + 3 * other[i];
  });
  return 3.0 * sizeof(float) * count / taken / 1e9;
}

int main(int, char** arguments) {
  const int threads = std::atoi(arguments[1]);
  omp_set_num_threads(threads);
  std::printf("{\"gflops\": %.1f, \"gigabytes\": %.2f}\n", gflops(threads), gigabytes());
}
