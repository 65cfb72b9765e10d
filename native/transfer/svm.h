// Linear support vector machines by liblinear, on plain numbers: what lyceum::linear_svm is made
// of, without libtorch, so that a fuzzer can be.
#pragma once

#include <linear.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lyceum {

// One class against the rest with the squared hinge loss; see linear_svm.cpp.
struct SvmProblem {
  const double* features;  // [count, width]
  const int64_t* labels;   // [count]
  int64_t count;
  int64_t width;
  int64_t classes;
  double c;
  double bias;            // the value of the constant feature; 0 for none
  double epsilon;         // the solver's tolerance
  const double* initial;  // [classes, svm_width], where the solver begins; null for zeros

  int64_t svm_width() const { return width + (bias > 0); }
};

// Says what is wrong with the sizes and settings of a problem; empty where nothing is.
std::string problem_of_settings(const SvmProblem& problem);

// Says what is wrong with the numbers and labels of a problem whose settings are right; empty where
// nothing is.
std::string problem_of_values(const SvmProblem& problem);

// A problem whose settings and values are right, as liblinear takes it.
class SvmSolver {
 public:
  explicit SvmSolver(const SvmProblem& problem);

  // Fits one class against the rest, from many threads at once. Writes svm_width weights, which may
  // be where the initial ones are. Says what went wrong; empty where nothing did.
  std::string fit(int64_t label, double* weights) const;

 private:
  SvmProblem problem_;
  std::vector<feature_node> nodes_;
  std::vector<size_t> starts_;
};

}  // namespace lyceum
