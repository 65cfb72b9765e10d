// lyceum::linear_svm without libtorch: any features, labels and settings of small problems. What is
// wrong is refused in words; what is fitted has finite weights, at a loss no higher than where it
// began.
#include "transfer/svm.h"

#include <cmath>
#include <limits>
#include <vector>

#include "input.h"

using namespace lyceum;

namespace {

// Numbers at which a solver goes wrong, and ordinary ones.
double number(fuzz::Input& input) {
  const double kInfinity = std::numeric_limits<double>::infinity();
  switch (input.byte() % 16) {
    case 0: return 0;
    case 1: return input.byte() % 2 ? kInfinity : -kInfinity;
    case 2: return std::nan("");
    case 3: return std::numeric_limits<double>::denorm_min();
    case 4: return -0.0;
    case 5:
    case 6:
    case 7: {
      // Any magnitude that there is, or that is close to the limits of what is taken.
      const double reach = input.byte() % 4 == 0 ? 1075 : 200;
      const double size = std::exp2(2 * reach * input.fraction() - reach);
      return input.byte() % 2 ? size : -size;
    }
    default: return 8 * input.fraction() - 4;
  }
}

double loss(const SvmProblem& p, int64_t label, const double* weights) {
  double sum = 0;
  const int64_t width = p.svm_width();
  for (int64_t d = 0; d < width; d++) sum += weights[d] * weights[d] / 2;
  for (int64_t i = 0; i < p.count; i++) {
    double score = p.bias > 0 ? weights[p.width] * p.bias : 0;
    for (int64_t d = 0; d < p.width; d++) score += weights[d] * p.features[i * p.width + d];
    const double slack = std::fmax(0, 1 - (p.labels[i] == label ? score : -score));
    sum += p.c * slack * slack;
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  SvmProblem p{};
  p.count = input.between(0, 12);
  p.width = input.between(1, 5);
  p.classes = input.byte() % 8 == 0 ? input.between(-2, 40) : input.between(2, 4);
  // Most numbers are ordinary: one odd feature is enough to be refused.
  const bool odd = input.byte() % 4 == 0;
  const auto setting = [&](double usual) { return input.byte() % 4 == 0 ? number(input) : usual; };
  p.c = setting(std::exp2(20 * input.fraction() - 10));
  p.bias = setting(input.byte() % 2);
  p.epsilon = setting(std::pow(10, -4 * input.fraction()));
  const bool warm = input.byte() % 2;
  if (!problem_of_settings(p).empty()) return 0;
  fuzz::check(p.classes >= 2 && p.classes <= p.count && p.c > 0 && p.bias >= 0 && p.epsilon > 0);

  std::vector<double> features(p.count * p.width), initial(p.classes * p.svm_width());
  std::vector<int64_t> labels(p.count);
  const auto value = [&] { return odd ? number(input) : 8 * input.fraction() - 4; };
  for (int64_t i = 0; i < p.count; i++) {
    labels[i] = input.byte() % 16 == 0 ? int64_t(input.word()) - 9 : i % p.classes;
    for (int64_t d = 0; d < p.width; d++) features[i * p.width + d] = value();
  }
  if (warm) {
    for (double& weight : initial) weight = value();
  }
  p.features = features.data();
  p.labels = labels.data();
  p.initial = warm ? initial.data() : nullptr;
  bool finite = true;
  for (const double each : features) finite &= bool(std::isfinite(each));
  for (const double each : initial) finite &= bool(std::isfinite(each));
  const bool refused = !problem_of_values(p).empty();
  fuzz::check(refused || finite);
  if (refused) return 0;

  const SvmSolver solver(p);
  std::vector<double> weights(p.svm_width()), again(p.svm_width());
  for (int64_t k = 0; k < p.classes; k++) {
    // A class that the others leave no image to compare with cannot be: there are two at least.
    const std::string wrong = solver.fit(k, weights.data());
    fuzz::check(wrong == solver.fit(k, again.data()));
    fuzz::check(wrong.empty());
    for (const double weight : weights) fuzz::check(std::isfinite(weight));
    fuzz::check(weights == again);
    const std::vector<double> zeros(p.svm_width());
    const double before = loss(p, k, warm ? initial.data() + k * p.svm_width() : zeros.data());
    // Rounding of the sums can lift the loss by a little.
    fuzz::check(std::isfinite(before));
    fuzz::check(loss(p, k, weights.data()) <= before * (1 + 1e-9) + 1e-300);
  }
  return 0;
}
