// The table of one instruction set (kernels.h), whose namespace is LYCEUM_ISA.
#include "kernels/isa/kernels.h"

// The kernels of the table: the family's member of Kernels, the family's namespace, and the
// function, which is the name of a member of the family's Kernels and is defined by one of the
// family's sources. A new kernel is a line here.
#define LYCEUM_PORTABLE_KERNELS(each)                                                         \
  each(batch_norm, batch_norm, find_moments) each(batch_norm, batch_norm, apply)              \
      each(batch_norm, batch_norm, sum_gradient) each(batch_norm, batch_norm, input_gradient) \
          each(batch_norm_bfloat16, batch_norm, find_moments)                                 \
              each(batch_norm_bfloat16, batch_norm, apply)                                    \
                  each(batch_norm_bfloat16, batch_norm, sum_gradient)                         \
                      each(batch_norm_bfloat16, batch_norm, input_gradient)                   \
                          each(lanes, lanes, read) each(lanes, lanes, write)                  \
                              each(resample, resample, across) each(resample, resample, down) \
                                  each(sgd, sgd, step)

#ifdef LYCEUM_FUSED_MULTIPLY_ADD
#define LYCEUM_KERNELS(each)                                                           \
  LYCEUM_PORTABLE_KERNELS(each)                                                        \
  each(pointwise, pointwise, convolve) each(pointwise, pointwise, add_gradient)        \
      each(pointwise, pointwise, average) each(pointwise, pointwise, average_gradient) \
          each(pointwise, pointwise, add_statistics) each(stem, stem, convolve)        \
              each(winograd, winograd, pack) each(winograd, winograd, convolve)        \
                  each(winograd, winograd, sum_weights) each(winograd, winograd, unpack)
#else
#define LYCEUM_KERNELS(each) LYCEUM_PORTABLE_KERNELS(each)
#endif

namespace lyceum {
namespace {

template <class Pointer>
struct PointedTo;
template <class Function>
struct PointedTo<Function*> {
  using Type = Function;
};

}  // namespace

#define LYCEUM_DECLARE(member, family, name)                     \
  namespace family::LYCEUM_ISA {                                 \
  PointedTo<decltype(lyceum::Kernels().member.name)>::Type name; \
  }
LYCEUM_KERNELS(LYCEUM_DECLARE)

namespace LYCEUM_ISA {

static constexpr Kernels filled() {
  Kernels all{};
#define LYCEUM_EXPORT(member, family, name) all.member.name = family::LYCEUM_ISA::name;
  LYCEUM_KERNELS(LYCEUM_EXPORT)
  return all;
}

extern const Kernels table;
const Kernels table = filled();

}  // namespace LYCEUM_ISA
}  // namespace lyceum
