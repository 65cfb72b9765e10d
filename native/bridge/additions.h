// Parts of the addon that are there only in some builds.
#pragma once

#include <vector>

#include "bridge/bridge.h"

namespace lyceum {

using Addition = void (*)(napi_env env, napi_value exports, Bridge* bridge);

// Called, each once, when the addon is loaded. A part adds itself while its static objects are
// made.
std::vector<Addition>& additions();

struct Adds {
  explicit Adds(Addition addition) { additions().push_back(addition); }
};

}  // namespace lyceum
