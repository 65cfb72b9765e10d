#include "svm.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

namespace lyceum {

namespace {

// The nodes of one fit take 16 bytes a value.
constexpr int64_t kMostBytes = int64_t(1) << 34;

// Settings beyond these, either way, make squares and their products infinite or 0: liblinear then
// ends where it began, or never.
constexpr double kLeast = 1e-30, kMost = 1e30;
// The most that C, the number of images, that of features and the square of the largest feature
// come to as a product, which bounds the curvature of the loss, and the most that a weight to begin
// with may be. The first step is at most as long as the curvature's power of 3/2 times that weight,
// so that the loss behind it is at most the fourth power times the weight's square: 1e220.
constexpr double kMostCurvature = 1e45, kMostWeight = 1e20;
// Smaller features count as 0: products of their squares are, in double precision, so that the
// solver would divide 0 by 0. float32 has no number that is as small.
constexpr double kLeastFeature = 1e-60;

void ignore(const char*) {}

double largest_of(const double* values, int64_t count) {
  double largest = 0;
  for (int64_t i = 0; i < count; i++) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

bool is_finite(const double* values, int64_t count) {
  return std::all_of(values, values + count, [](double value) { return std::isfinite(value); });
}

struct FreeModel {
  void operator()(model* fitted) const { free_and_destroy_model(&fitted); }
};

}  // namespace

std::string problem_of_settings(const SvmProblem& p) {
  const auto wrong = [](const std::string& what, double got) {
    return what + ", from 1e-30 to 1e30, got " + text_of(got);
  };
  const auto is_usable = [](double value) { return value >= kLeast && value <= kMost; };
  if (p.classes < 2 || p.classes > p.count) {
    return "classes must be in 2.." + std::to_string(p.count) + ", got " +
           std::to_string(p.classes);
  }
  if (!is_usable(p.c)) return wrong("C must be above 0", p.c);
  if (!is_usable(p.epsilon)) return wrong("epsilon must be above 0", p.epsilon);
  if (p.bias != 0 && !is_usable(p.bias)) return wrong("bias must be 0 or more", p.bias);
  const int64_t width = p.svm_width();
  if (width >= 1 << 30 || p.count > kMostBytes / int64_t(sizeof(feature_node)) / (width + 1)) {
    return std::to_string(p.count) + " x " + std::to_string(width) +
           " features are more than it takes; use fewer";
  }
  return "";
}

std::string problem_of_values(const SvmProblem& p) {
  if (!is_finite(p.features, p.count * p.width)) return "features must be finite";
  std::vector<bool> found(p.classes);
  for (int64_t i = 0; i < p.count; i++) {
    const int64_t label = p.labels[i];
    if (label < 0 || label >= p.classes) {
      return "labels must be in 0.." + std::to_string(p.classes - 1) + ", got " +
             std::to_string(label);
    }
    found[label] = true;
  }
  const auto empty = std::find(found.begin(), found.end(), false);
  if (empty != found.end()) {
    return "class " + std::to_string(empty - found.begin()) + " has no images";
  }
  const double largest = std::max(largest_of(p.features, p.count * p.width), p.bias);
  const double curvature = p.c * double(p.count) * double(p.svm_width()) * largest * largest;
  if (curvature > kMostCurvature) {
    return "the largest feature, " + text_of(largest) + ", is too large for C = " + text_of(p.c) +
           "; scale the features";
  }
  if (p.initial) {
    const int64_t weights = p.classes * p.svm_width();
    if (!is_finite(p.initial, weights)) return "initial must be finite";
    if (largest_of(p.initial, weights) > kMostWeight) return "initial must be within 1e20";
  }
  return "";
}

// For each row its values other than zero, numbered from 1, and the bias.
SvmSolver::SvmSolver(const SvmProblem& problem) : problem_(problem) {
  const double* value = problem.features;
  nodes_.reserve(problem.count * (problem.width + 2));
  for (int64_t i = 0; i < problem.count; i++) {
    starts_.push_back(nodes_.size());
    for (int64_t d = 0; d < problem.width; d++, value++) {
      if (std::fabs(*value) >= kLeastFeature) nodes_.push_back({int(d + 1), *value});
    }
    if (problem.bias > 0) nodes_.push_back({int(problem.width + 1), problem.bias});
    nodes_.push_back({-1, 0});
  }
  // What liblinear prints goes through one function of the whole process.
  set_print_string_function(ignore);
}

std::string SvmSolver::fit(int64_t label, double* weights) const {
  const int64_t count = problem_.count, width = problem_.svm_width();
  // A list of its own for each caller, since liblinear does not take a list of constants.
  std::vector<feature_node*> list(count);
  std::vector<double> sides(count);
  for (int64_t i = 0; i < count; i++) {
    list[i] = const_cast<feature_node*>(nodes_.data() + starts_[i]);
    sides[i] = problem_.labels[i] == label ? 1 : -1;
  }
  std::vector<double> begin;
  if (problem_.initial) {
    begin.assign(problem_.initial + label * width, problem_.initial + (label + 1) * width);
  }
  problem given{};
  given.l = int(count);
  given.n = int(width);
  given.y = sides.data();
  given.x = list.data();
  given.bias = problem_.bias > 0 ? problem_.bias : -1;
  parameter settings{};
  settings.solver_type = L2R_L2LOSS_SVC;
  settings.C = problem_.c;
  settings.eps = problem_.epsilon;
  settings.p = 0.1;
  settings.init_sol = begin.empty() ? nullptr : begin.data();
  if (const char* wrong = check_parameter(&given, &settings)) return wrong;
  const std::unique_ptr<model, FreeModel> fitted(train(&given, &settings));
  // The model points to where the solver began, but does not own it.
  fitted->param.init_sol = nullptr;
  if (!is_finite(fitted->w, width)) {
    return "class " + std::to_string(label) +
           " comes to weights that are not finite: the features or C are too large; scale them";
  }
  std::copy(fitted->w, fitted->w + width, weights);
  return "";
}

}  // namespace lyceum
