#include "bridge/values.h"

#include <cmath>
#include <sstream>

#include "optional.h"

namespace lyceum {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type;
}

bool isMissing(napi_env env, napi_value value) {
  if (value == nullptr) return true;
  const napi_valuetype type = typeOf(env, value);
  return type == napi_undefined || type == napi_null;
}

std::string nameOfType(napi_env env, napi_value value) {
  if (value == nullptr) return "nothing";
  switch (typeOf(env, value)) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    default: break;
  }
  bool array = false;
  napi_is_array(env, value, &array);
  return array ? "an array" : "an object";
}

struct Named {
  const char* name;
  int64_t value;
};

constexpr Named kScalarTypes[] = {
    {"float32", static_cast<int64_t>(at::kFloat)},
    {"float64", static_cast<int64_t>(at::kDouble)},
    {"float16", static_cast<int64_t>(at::kHalf)},
    {"bfloat16", static_cast<int64_t>(at::kBFloat16)},
    {"int64", static_cast<int64_t>(at::kLong)},
    {"int32", static_cast<int64_t>(at::kInt)},
    {"int16", static_cast<int64_t>(at::kShort)},
    {"int8", static_cast<int64_t>(at::kChar)},
    {"uint8", static_cast<int64_t>(at::kByte)},
    {"bool", static_cast<int64_t>(at::kBool)},
};
constexpr Named kMemoryFormats[] = {
    {"contiguous", static_cast<int64_t>(at::MemoryFormat::Contiguous)},
    {"channelsLast", static_cast<int64_t>(at::MemoryFormat::ChannelsLast)},
    {"preserve", static_cast<int64_t>(at::MemoryFormat::Preserve)},
};
constexpr Named kLayouts[] = {{"strided", static_cast<int64_t>(at::kStrided)}};

template <size_t N>
int64_t lookUp(const Named (&table)[N], const std::string& name, const char* what) {
  for (const auto& entry : table) {
    if (name == entry.name) return entry.value;
  }
  std::string known;
  for (const auto& entry : table) known += std::string(known.empty() ? "" : ", ") + entry.name;
  throw BadArgument("\"" + name.substr(0, 40) + "\" is no " + what + " (known: " + known + ")");
}

at::Scalar toScalar(napi_env env, napi_value value) {
  switch (typeOf(env, value)) {
    case napi_boolean: return at::Scalar(toBool(env, value));
    case napi_bigint: return at::Scalar(toInt(env, value));
    case napi_number: {
      const double number = toDouble(env, value);
      // A whole number keeps integer tensors integer; minus zero has no integer form.
      const bool whole = std::floor(number) == number && std::fabs(number) <= kMaxSafeInteger &&
                         !(number == 0 && std::signbit(number));
      return whole ? at::Scalar(static_cast<int64_t>(number)) : at::Scalar(number);
    }
    default: throw BadArgument("must be a number, got " + nameOfType(env, value));
  }
}

at::Tensor& toTensor(Bridge& bridge, napi_value value) {
  int32_t handle = 0;
  if (value == nullptr || napi_get_value_int32(bridge.env, value, &handle) != napi_ok ||
      handle < 0) {
    throw BadArgument("must be a Tensor");
  }
  return bridge.tensor(handle);
}

c10::IValue single(Bridge& bridge, napi_value value, Kind kind) {
  napi_env env = bridge.env;
  switch (kind) {
    case Kind::Tensor: return toTensor(bridge, value);
    case Kind::Int: return toInt(env, value);
    case Kind::Float: return toDouble(env, value);
    case Kind::Bool: return toBool(env, value);
    case Kind::Scalar: return toScalar(env, value);
    case Kind::String: return toString(env, value);
    case Kind::Device: return deviceOf(toString(env, value));
    case Kind::Layout: return lookUp(kLayouts, toString(env, value), "layout");
    case Kind::MemoryFormat: return lookUp(kMemoryFormats, toString(env, value), "memory format");
    case Kind::ScalarType: return lookUp(kScalarTypes, toString(env, value), "dtype");
    case Kind::Generator: {
      int32_t handle = 0;
      if (napi_get_value_int32(env, value, &handle) != napi_ok) {
        throw BadArgument("must be a Generator");
      }
      at::Generator* generator = bridge.generators.find(handle);
      if (!generator) throw BadArgument("must be a Generator that was not disposed");
      return *generator;
    }
    case Kind::Unsupported: break;
  }
  throw BadArgument("is of a kind that the bridge does not carry");
}

uint32_t lengthOf(napi_env env, napi_value value) {
  bool array = false;
  check(env, napi_is_array(env, value, &array));
  if (!array) throw BadArgument("must be an array, got " + nameOfType(env, value));
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  // The limit is far above any real call: a sparse array of 2^32 must not become gigabytes.
  if (length > 1'000'000) {
    throw BadArgument("has " + std::to_string(length) + " elements, more than 1,000,000");
  }
  return length;
}

napi_value element(napi_env env, napi_value array, uint32_t i) {
  napi_value value;
  check(env, napi_get_element(env, array, i, &value));
  return value;
}

template <class T, class F>
c10::IValue listOf(napi_env env, napi_value value, F convert) {
  const uint32_t length = lengthOf(env, value);
  c10::List<T> list;
  list.reserve(length);
  for (uint32_t i = 0; i < length; ++i) {
    try {
      list.push_back(convert(element(env, value, i)));
    } catch (const BadArgument& error) {
      throw BadArgument("[" + std::to_string(i) + "] " + error.what());
    }
  }
  return list;
}

// Kernels read as many elements as the schema says, whether they are there or not.
c10::IValue integers(napi_env env, napi_value value, const Parameter& parameter) {
  std::vector<int64_t> given;
  if (parameter.length > 0 && typeOf(env, value) == napi_number) {
    given = {toInt(env, value)};
  } else {
    given = toInts(env, value);
  }
  const size_t wanted = parameter.length;
  const bool none = given.empty() && parameter.hasDefault && parameter.fallback.isIntList() &&
                    parameter.fallback.toIntList().empty();
  if (wanted > 1 && given.size() == 1) given.resize(wanted, given[0]);
  // `int[1]` stands for any number of dimensions.
  if (wanted > 1 && given.size() != wanted && !none) {
    throw BadArgument("must be one number or " + std::to_string(wanted) + ", got " +
                      std::to_string(given.size()));
  }
  return given;
}

double limited(double value, const Parameter& parameter) {
  // NaN is no number in between.
  if (parameter.limited && !(value >= parameter.lowest && value <= parameter.highest)) {
    std::ostringstream message;
    message << "must be " << parameter.lowest << " to " << parameter.highest << ", got " << value;
    throw BadArgument(message.str());
  }
  return value;
}

c10::IValue list(Bridge& bridge, napi_value value, const Parameter& parameter) {
  napi_env env = bridge.env;
  if (parameter.optionalElements && parameter.kind == Kind::Tensor) {
    return listOf<Optional<at::Tensor>>(env, value, [&](napi_value v) {
      return isMissing(env, v) ? Optional<at::Tensor>() : Optional<at::Tensor>(toTensor(bridge, v));
    });
  }
  if (parameter.optionalElements) throw BadArgument("is of a kind that the bridge does not carry");
  switch (parameter.kind) {
    case Kind::Tensor:
      return listOf<at::Tensor>(env, value, [&](napi_value v) { return toTensor(bridge, v); });
    case Kind::Int: return integers(env, value, parameter);
    case Kind::Float:
      return listOf<double>(env, value,
                            [&](napi_value v) { return limited(toDouble(env, v), parameter); });
    case Kind::Bool: return listOf<bool>(env, value, [&](napi_value v) { return toBool(env, v); });
    case Kind::Scalar:
      return listOf<at::Scalar>(env, value, [&](napi_value v) { return toScalar(env, v); });
    case Kind::String:
      return listOf<std::string>(env, value, [&](napi_value v) { return toString(env, v); });
    default: throw BadArgument("is of a kind that the bridge does not carry");
  }
}

template <class List>
napi_value arrayOf(Bridge& bridge, const List& list) {
  napi_value array;
  check(bridge.env, napi_create_array_with_length(bridge.env, list.size(), &array));
  for (size_t i = 0; i < list.size(); ++i) {
    const c10::IValue item(list.get(i));
    check(bridge.env, napi_set_element(bridge.env, array, i, toJavaScript(bridge, item)));
  }
  return array;
}

}  // namespace

c10::IValue toIValue(Bridge& bridge, napi_value value, const Parameter& parameter) {
  if (parameter.kind == Kind::Tensor && !parameter.list) {
    // The commonest argument: one look at the value, not two.
    int32_t handle = 0;
    if (value != nullptr && napi_get_value_int32(bridge.env, value, &handle) == napi_ok &&
        handle > 0) {
      return bridge.tensor(handle);
    }
  }
  if (isMissing(bridge.env, value)) {
    if (parameter.hasDefault) return parameter.fallback;
    if (parameter.optional) return c10::IValue();
    throw BadArgument("must be given");
  }
  if (parameter.list) return list(bridge, value, parameter);
  const c10::IValue boxed = single(bridge, value, parameter.kind);
  if (parameter.kind == Kind::Float) limited(boxed.toDouble(), parameter);
  if (parameter.kind == Kind::Int && boxed.toInt() > parameter.most) {
    throw BadArgument("must be at most " + std::to_string(parameter.most));
  }
  if (parameter.kind == Kind::Int && boxed.toInt() < parameter.least) {
    throw BadArgument("must be at least " + std::to_string(parameter.least));
  }
  return boxed;
}

napi_value toJavaScript(Bridge& bridge, const c10::IValue& value) {
  napi_env env = bridge.env;
  if (value.isTensor()) return integer(env, bridge.hold(value.toTensor()));
  if (value.isNone()) return undefined(env);
  if (value.isInt()) return integer(env, value.toInt());
  if (value.isDouble()) return number(env, value.toDouble());
  if (value.isBool()) return boolean(env, value.toBool());
  if (value.isString()) return text(env, value.toStringRef());
  if (value.isTensorList()) return arrayOf(bridge, value.toTensorList());
  if (value.isIntList()) return arrayOf(bridge, value.toIntList());
  if (value.isDoubleList()) return arrayOf(bridge, value.toDoubleList());
  if (value.isBoolList()) return arrayOf(bridge, value.toBoolList());
  if (value.isList()) return arrayOf(bridge, value.toList());
  throw BadArgument("returns a " + value.tagKind() + ", which the bridge does not carry");
}

int64_t toInt(napi_env env, napi_value value) {
  if (value == nullptr) throw BadArgument("must be an integer, got nothing");
  double number = 0;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    if (std::floor(number) != number || std::fabs(number) > kMaxSafeInteger) {
      std::ostringstream message;
      message << "must be an integer, got " << number;
      throw BadArgument(message.str());
    }
    return static_cast<int64_t>(number);
  }
  int64_t big = 0;
  bool lossless = false;
  if (napi_get_value_bigint_int64(env, value, &big, &lossless) == napi_ok && lossless) return big;
  throw BadArgument("must be an integer, got " + nameOfType(env, value));
}

bool toBool(napi_env env, napi_value value) {
  bool result = false;
  if (value == nullptr || napi_get_value_bool(env, value, &result) != napi_ok) {
    throw BadArgument("must be a boolean, got " + nameOfType(env, value));
  }
  return result;
}

double toDouble(napi_env env, napi_value value) {
  double result = 0;
  if (value == nullptr || napi_get_value_double(env, value, &result) != napi_ok) {
    throw BadArgument("must be a number, got " + nameOfType(env, value));
  }
  return result;
}

std::string toString(napi_env env, napi_value value) {
  size_t length = 0;
  if (value == nullptr || napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    throw BadArgument("must be a string, got " + nameOfType(env, value));
  }
  std::string result(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, result.data(), length + 1, &length));
  return result;
}

std::vector<int64_t> toInts(napi_env env, napi_value value) {
  const uint32_t length = lengthOf(env, value);
  std::vector<int64_t> result(length);
  for (uint32_t i = 0; i < length; ++i) {
    try {
      result[i] = toInt(env, element(env, value, i));
    } catch (const BadArgument& error) {
      throw BadArgument("[" + std::to_string(i) + "] " + error.what());
    }
  }
  return result;
}

std::vector<at::Tensor> toTensors(Bridge& bridge, napi_value value) {
  const uint32_t length = lengthOf(bridge.env, value);
  std::vector<at::Tensor> result;
  result.reserve(length);
  for (uint32_t i = 0; i < length; ++i) {
    result.push_back(toTensor(bridge, element(bridge.env, value, i)));
  }
  return result;
}

napi_value number(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result));
  return result;
}

napi_value integer(napi_env env, int64_t value) {
  napi_value result;
  if (value >= INT32_MIN && value <= INT32_MAX) {
    check(env, napi_create_int32(env, static_cast<int32_t>(value), &result));
  } else if (std::fabs(static_cast<double>(value)) <= kMaxSafeInteger) {
    check(env, napi_create_int64(env, value, &result));
  } else {
    check(env, napi_create_bigint_int64(env, value, &result));
  }
  return result;
}

napi_value boolean(napi_env env, bool value) {
  napi_value result;
  check(env, napi_get_boolean(env, value, &result));
  return result;
}

napi_value text(napi_env env, const std::string& value) {
  napi_value result;
  check(env, napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

napi_value handles(Bridge& bridge, const std::vector<at::Tensor>& tensors) {
  napi_value array;
  check(bridge.env, napi_create_array_with_length(bridge.env, tensors.size(), &array));
  for (size_t i = 0; i < tensors.size(); ++i) {
    const napi_value handle = integer(bridge.env, bridge.hold(tensors[i]));
    check(bridge.env, napi_set_element(bridge.env, array, i, handle));
  }
  return array;
}

napi_value undefined(napi_env env) {
  napi_value result;
  check(env, napi_get_undefined(env, &result));
  return result;
}

c10::Device deviceOf(const std::string& name) {
  try {
    const c10::Device device(name);
    // libtorch parses twenty kinds of device, and for most of them there is no code in it to run.
    if (device.is_cpu() || device.is_cuda()) return device;
  } catch (const c10::Error&) {
  }
  throw BadArgument("\"" + name.substr(0, 40) + "\" is no device (known: cpu, cuda, cuda:N)");
}

at::ScalarType scalarTypeOf(const std::string& name) {
  return static_cast<at::ScalarType>(lookUp(kScalarTypes, name, "dtype"));
}

const char* nameOf(at::ScalarType type) {
  for (const auto& entry : kScalarTypes) {
    if (entry.value == static_cast<int64_t>(type)) return entry.name;
  }
  return c10::toString(type);
}

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream out;
  out << nameOf(tensor.scalar_type()) << '[';
  // Nested tensors have no sizes.
  if (!tensor.is_nested()) {
    for (int64_t i = 0; i < tensor.dim(); ++i) out << (i ? ", " : "") << tensor.size(i);
  }
  out << ']';
  if (!tensor.device().is_cpu()) out << '@' << tensor.device().str();
  return out.str();
}

}  // namespace lyceum
