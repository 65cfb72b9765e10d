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
#include <linear.h>
#include <torch/library.h>

#include <memory>
#include <mutex>
#include <vector>

#include "optional.h"

namespace {

// The nodes of one fit take 16 bytes a value.
constexpr int64_t kMostBytes = int64_t(1) << 34;

void ignore(const char*) {}

// The features as liblinear takes them: for each row its values other than zero, numbered from 1,
// and the bias.
class Rows {
 public:
  Rows(const at::Tensor& features, double bias) {
    const int64_t count = features.size(0), width = features.size(1);
    const double* value = features.data_ptr<double>();
    nodes_.reserve(count * (width + 2));
    for (int64_t i = 0; i < count; i++) {
      starts_.push_back(nodes_.size());
      for (int64_t d = 0; d < width; d++, value++) {
        if (*value != 0) nodes_.push_back({int(d + 1), *value});
      }
      if (bias > 0) nodes_.push_back({int(width + 1), bias});
      nodes_.push_back({-1, 0});
    }
  }

  // A list of its own for each caller, since liblinear does not take a list of constants.
  std::vector<feature_node*> list() {
    std::vector<feature_node*> rows;
    rows.reserve(starts_.size());
    for (const size_t start : starts_) rows.push_back(nodes_.data() + start);
    return rows;
  }

 private:
  std::vector<feature_node> nodes_;
  std::vector<size_t> starts_;
};

struct FreeModel {
  void operator()(model* fitted) const { free_and_destroy_model(&fitted); }
};

// Fits one class against the rest. `weights` hold where the solver begins, and then the result.
void fit(Rows& rows, const int64_t* labels, int64_t label, int64_t width, bool begin,
         const parameter& shared, double bias, double* weights) {
  std::vector<feature_node*> list = rows.list();
  std::vector<double> sides(list.size());
  for (size_t i = 0; i < sides.size(); i++) sides[i] = labels[i] == label ? 1 : -1;
  problem given{};
  given.l = int(list.size());
  given.n = int(width);
  given.y = sides.data();
  given.x = list.data();
  given.bias = bias > 0 ? bias : -1;
  parameter own = shared;
  own.init_sol = begin ? weights : nullptr;
  const char* wrong = check_parameter(&given, &own);
  TORCH_CHECK(!wrong, "linear_svm: ", wrong);
  const std::unique_ptr<model, FreeModel> fitted(train(&given, &own));
  // The model points to where the solver began, but does not own it.
  fitted->param.init_sol = nullptr;
  std::copy(fitted->w, fitted->w + width, weights);
}

at::Tensor linear_svm(const at::Tensor& features, const at::Tensor& labels, int64_t classes,
                      double c, double bias, double epsilon,
                      const lyceum::Optional<at::Tensor>& initial) {
  TORCH_CHECK(features.dim() == 2 && features.is_floating_point() && features.numel() > 0,
              "linear_svm: features must be [N, D] of floats, got ", features.sizes(), " of ",
              features.scalar_type());
  const int64_t count = features.size(0), width = features.size(1) + (bias > 0);
  TORCH_CHECK(labels.scalar_type() == at::kLong && labels.dim() == 1 && labels.size(0) == count,
              "linear_svm: labels must be int64 [", count, "], got ", labels.sizes(), " of ",
              labels.scalar_type());
  TORCH_CHECK(classes >= 2 && classes <= count, "linear_svm: classes must be in 2..", count,
              ", got ", classes);
  TORCH_CHECK(c > 0 && std::isfinite(c), "linear_svm: C must be above 0, got ", c);
  TORCH_CHECK(epsilon > 0 && std::isfinite(epsilon), "linear_svm: epsilon must be above 0, got ",
              epsilon);
  TORCH_CHECK(bias >= 0 && std::isfinite(bias), "linear_svm: bias must be 0 or more, got ", bias);
  TORCH_CHECK(width < 1 << 30 && count <= kMostBytes / int64_t(sizeof(feature_node)) / (width + 1),
              "linear_svm: ", count, " x ", width, " features are more than it takes; use fewer");
  const at::Tensor values = features.to(at::kDouble).contiguous();
  TORCH_CHECK(values.isfinite().all().item<bool>(), "linear_svm: features must be finite");
  const at::Tensor known = labels.contiguous();
  const int64_t* label = known.data_ptr<int64_t>();
  std::vector<bool> found(classes);
  for (int64_t i = 0; i < count; i++) {
    TORCH_CHECK(label[i] >= 0 && label[i] < classes, "linear_svm: labels must be in 0..",
                classes - 1, ", got ", label[i]);
    found[label[i]] = true;
  }
  for (int64_t k = 0; k < classes; k++) {
    TORCH_CHECK(found[k], "linear_svm: class ", k, " has no images");
  }
  at::Tensor weights = at::empty({classes, width}, values.options());
  if (initial) {
    TORCH_CHECK(initial->sizes() == weights.sizes(), "linear_svm: initial must be ",
                weights.sizes(), ", got ", initial->sizes());
    weights.copy_(*initial);
    TORCH_CHECK(weights.isfinite().all().item<bool>(), "linear_svm: initial must be finite");
  }

  // What liblinear prints goes through one function of the whole process, and a fit takes much
  // memory: one at a time.
  static std::mutex one;
  const std::lock_guard<std::mutex> held(one);
  set_print_string_function(ignore);
  parameter shared{};
  shared.solver_type = L2R_L2LOSS_SVC;
  shared.C = c;
  shared.eps = epsilon;
  shared.p = 0.1;
  Rows rows(values, bias);
  double* result = weights.data_ptr<double>();
  at::parallel_for(0, classes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; k++) {
      fit(rows, label, k, width, initial.has_value(), shared, bias, result + k * width);
    }
  });
  return weights;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "linear_svm(Tensor features, Tensor labels, int classes, float c, float bias=1., "
      "float epsilon=0.0001, Tensor? initial=None) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("linear_svm", linear_svm); }
