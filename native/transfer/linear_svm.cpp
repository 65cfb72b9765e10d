// lyceum::linear_svm: linear support vector machines, one class against the rest, with the squared
// hinge loss, by liblinear (Fan et al. 2008; scikit-learn's LinearSVC is the same library). For
// each class c it minimises
//
//   1/2 |w|² + C Σᵢ max(0, 1 - yᵢ (w · xᵢ))²,   yᵢ = 1 for images of class c, else -1
//
// where x ends in a constant, the bias, whose weight counts in |w|² as any other. The minimum is
// unique, and is found by the primal solver, which draws no random numbers: the dual ones call
// rand(), whose state the whole process shares.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <mutex>

#include "optional.h"
#include "svm.h"

namespace {

void refuse(const std::string& problem) { TORCH_CHECK(problem.empty(), "linear_svm: ", problem); }

at::Tensor linear_svm(const at::Tensor& features, const at::Tensor& labels, int64_t classes,
                      double c, double bias, double epsilon,
                      const lyceum::Optional<at::Tensor>& initial) {
  TORCH_CHECK(features.dim() == 2 && features.is_floating_point() && features.numel() > 0,
              "linear_svm: features must be [N, D] of floats, got ", features.sizes(), " of ",
              features.scalar_type());
  const int64_t count = features.size(0);
  TORCH_CHECK(labels.scalar_type() == at::kLong && labels.dim() == 1 && labels.size(0) == count,
              "linear_svm: labels must be int64 [", count, "], got ", labels.sizes(), " of ",
              labels.scalar_type());
  lyceum::SvmProblem problem{};
  problem.count = count;
  problem.width = features.size(1);
  problem.classes = classes;
  problem.c = c;
  problem.bias = bias;
  problem.epsilon = epsilon;
  refuse(problem_of_settings(problem));
  const at::Tensor values = features.to(at::kDouble).contiguous();
  const at::Tensor known = labels.contiguous();
  const int64_t width = problem.svm_width();
  at::Tensor weights = at::empty({classes, width}, values.options());
  double* result = weights.data_ptr<double>();
  if (initial) {
    TORCH_CHECK(initial->sizes() == weights.sizes(), "linear_svm: initial must be ",
                weights.sizes(), ", got ", initial->sizes());
    weights.copy_(*initial);
    problem.initial = result;
  }
  problem.features = values.data_ptr<double>();
  problem.labels = known.data_ptr<int64_t>();
  refuse(problem_of_values(problem));

  // A fit takes much memory: one at a time.
  static std::mutex one;
  const std::lock_guard<std::mutex> held(one);
  const lyceum::SvmSolver solver(problem);
  std::vector<std::string> wrong(classes);
  at::parallel_for(0, classes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; k++) wrong[k] = solver.fit(k, result + k * width);
  });
  for (const std::string& each : wrong) refuse(each);
  return weights;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "linear_svm(Tensor features, Tensor labels, int classes, float c, float bias=1., "
      "float epsilon=0.0001, Tensor? initial=None) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("linear_svm", linear_svm); }
