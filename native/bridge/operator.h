// An operator of libtorch's dispatcher with what boxing needs of its schema, worked out once.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <vector>

namespace lyceum {

enum class Kind : uint8_t {
  Tensor,
  Int,
  Float,
  Bool,
  Scalar,
  String,
  Device,
  Layout,
  MemoryFormat,
  ScalarType,
  Generator,
  Unsupported,
};

struct Parameter {
  Kind kind = Kind::Unsupported;
  bool optional = false;
  bool list = false;
  bool optionalElements = false;
  // 2 for `int[2]`, which takes one number for both; 0 for a list of any length.
  int32_t length = 0;
  // What a single integer must lie between.
  int64_t least = INT64_MIN, most = INT64_MAX;
  // What a float, or each of a list, must lie between, where it is limited at all.
  bool limited = false;
  double lowest = 0, highest = 0;
  // The operator writes to it.
  bool written = false;
  bool hasDefault = false;
  c10::IValue fallback;
  std::string name;
  std::string type;
};

struct Operator {
  explicit Operator(c10::OperatorHandle found);

  c10::OperatorHandle handle;
  std::string name;
  std::vector<Parameter> parameters;
  size_t results;
  // Every result is an argument that was written to (`add_`, `out=`): the caller has it already.
  bool returnsArguments;
  // Some argument is written to.
  bool writes = false;
  // The first argument is given the second one's memory (`set_`, `set_data`).
  bool replacesMemory = false;
  // It would read that memory as if it were of the first one's dtype (`set_`).
  bool trustsDtype = false;
};

}  // namespace lyceum
