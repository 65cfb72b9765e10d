// One name for libtorch's optional: its own class before 2.2, the standard one since.
#pragma once

#include <torch/version.h>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 2)
#include <optional>
namespace lyceum {
template <class T>
using Optional = std::optional<T>;
}
#else
#include <c10/util/Optional.h>
namespace lyceum {
template <class T>
using Optional = c10::optional<T>;
}
#endif
