// The four functions of BLAS that liblinear calls, so that all of what is fuzzed is instrumented.
#include <cmath>

extern "C" {
double dnrm2_(int* n, double* x, int* step) {
  // With a scale, as the reference has it: squares of large numbers would be infinite.
  double scale = 0, sum = 1;
  for (int i = 0; i < *n; i++) {
    const double value = std::fabs(x[i * *step]);
    if (value == 0) continue;
    if (scale < value) {
      sum = 1 + sum * (scale / value) * (scale / value);
      scale = value;
    } else {
      sum += (value / scale) * (value / scale);
    }
  }
  return scale * std::sqrt(sum);
}

double ddot_(int* n, double* x, int* step_x, double* y, int* step_y) {
  double sum = 0;
  for (int i = 0; i < *n; i++) sum += x[i * *step_x] * y[i * *step_y];
  return sum;
}

int daxpy_(int* n, double* a, double* x, int* step_x, double* y, int* step_y) {
  for (int i = 0; i < *n; i++) y[i * *step_y] += *a * x[i * *step_x];
  return 0;
}

int dscal_(int* n, double* a, double* x, int* step) {
  for (int i = 0; i < *n; i++) x[i * *step] *= *a;
  return 0;
}
}
