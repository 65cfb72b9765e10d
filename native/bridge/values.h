// JavaScript values <-> libtorch's IValue.
#pragma once

#include "bridge/bridge.h"

namespace lyceum {

// The value for `parameter`; undefined means its default. Throws BadArgument with a text that
// starts at the value.
c10::IValue toIValue(Bridge& bridge, napi_value value, const Parameter& parameter);
// Tensors become handles (0 for an undefined one), lists arrays, integers numbers where they fit,
// else bigints.
napi_value toJavaScript(Bridge& bridge, const c10::IValue& value);

int64_t toInt(napi_env env, napi_value value);
bool toBool(napi_env env, napi_value value);
double toDouble(napi_env env, napi_value value);
std::string toString(napi_env env, napi_value value);
std::vector<int64_t> toInts(napi_env env, napi_value value);
std::vector<at::Tensor> toTensors(Bridge& bridge, napi_value value);

napi_value number(napi_env env, double value);
napi_value integer(napi_env env, int64_t value);
napi_value boolean(napi_env env, bool value);
napi_value text(napi_env env, const std::string& value);
napi_value handles(Bridge& bridge, const std::vector<at::Tensor>& tensors);
napi_value undefined(napi_env env);

// Throws for what is neither cpu nor cuda.
c10::Device deviceOf(const std::string& name);
at::ScalarType scalarTypeOf(const std::string& name);
// Throws for a type that the project does not name.
const char* nameOf(at::ScalarType type);
// A tensor as messages name it: `float32[2, 3]`.
std::string describe(const at::Tensor& tensor);

}  // namespace lyceum
