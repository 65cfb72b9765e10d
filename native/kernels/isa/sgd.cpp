#include "kernels/isa/sgd.h"

#include "kernels/isa/vector.h"

namespace lyceum::sgd::LYCEUM_ISA {
namespace {

using namespace lyceum::LYCEUM_ISA;

template <class Lanes>
LYCEUM_INLINE void step_at(float* w, const float* g, float* v, const Rule& rule, Lanes lanes) {
  const Vector weight = load(w, lanes);
  Vector direction = load(g, lanes);
  // Left out where there is no decay: infinity times zero would be NaN.
  if (rule.decay != 0) direction += rule.decay * weight;
  if (v) {
    const Vector velocity = rule.momentum * load(v, lanes) + direction;
    store(v, velocity, lanes);
    direction = rule.nesterov ? direction + rule.momentum * velocity : velocity;
  }
  store(w, weight - rule.rate * direction, lanes);
}

}  // namespace

void step(float* w, const float* g, float* v, int64_t count, const Rule& rule) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    step_at(w + i, g + i, v ? v + i : nullptr, rule, Whole{});
  }
  if (i < count) step_at(w + i, g + i, v ? v + i : nullptr, rule, Part{count - i});
}

}  // namespace lyceum::sgd::LYCEUM_ISA
