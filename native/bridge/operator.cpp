#include "bridge/operator.h"

#include <algorithm>

namespace lyceum {
namespace {

Kind kindOf(const std::string& type) {
  if (type == "Tensor") return Kind::Tensor;
  if (type == "int" || type == "SymInt") return Kind::Int;
  if (type == "float") return Kind::Float;
  if (type == "bool") return Kind::Bool;
  if (type == "Scalar") return Kind::Scalar;
  if (type == "str") return Kind::String;
  if (type == "Device") return Kind::Device;
  if (type == "Layout") return Kind::Layout;
  if (type == "MemoryFormat") return Kind::MemoryFormat;
  if (type == "ScalarType") return Kind::ScalarType;
  if (type == "Generator") return Kind::Generator;
  return Kind::Unsupported;
}

bool dropSuffix(std::string& text, const std::string& suffix) {
  if (text.size() < suffix.size() ||
      text.compare(text.size() - suffix.size(), suffix.size(), suffix) != 0) {
    return false;
  }
  text.resize(text.size() - suffix.size());
  return true;
}

Parameter parameterOf(const c10::Argument& argument) {
  Parameter parameter;
  parameter.name = argument.name();
  // The real type tells a ScalarType from an int; the other one calls both int.
  std::string type = argument.real_type()->str();
  parameter.type = type;
  parameter.optional = dropSuffix(type, "?");
  parameter.list = dropSuffix(type, "[]");
  if (parameter.list) parameter.optionalElements = dropSuffix(type, "?");
  parameter.kind = kindOf(type);
  parameter.written = argument.alias_info() && argument.alias_info()->isWrite();
  parameter.length = argument.N().value_or(0);
  if (argument.default_value()) {
    parameter.hasDefault = true;
    parameter.fallback = *argument.default_value();
  }
  return parameter;
}

// libtorch trusts some numbers, which end the process or take forever where they are others.
void limit(const std::string& op, Parameter& parameter) {
  // It looks for the number after `from`, and never finds one after the largest.
  if (op.rfind("aten::random", 0) == 0 && parameter.name == "from") parameter.most = INT64_MAX - 1;
  // Losses take another one for a sum whose divisor they never compute.
  if (parameter.name == "reduction") {
    parameter.least = 0;
    parameter.most = 2;
  }
  // It first makes a table of this length, of any number of gigabytes.
  const bool is_multigamma = op == "aten::mvlgamma" || op == "aten::mvlgamma_" ||
                             op.rfind("aten::special_multigammaln", 0) == 0;
  if (is_multigamma && parameter.name == "p") parameter.most = 1 << 20;
  // The place of a pixel is its number divided by the scale, which becomes an index unchecked.
  if (op.find("upsample_") != std::string::npos && parameter.name.rfind("scale", 0) == 0) {
    parameter.limited = true;
    parameter.lowest = 1e-3;
    parameter.highest = 1e6;
  }
}

}  // namespace

Operator::Operator(c10::OperatorHandle found) : handle(found) {
  const auto& schema = handle.schema();
  name = schema.name();
  if (!schema.overload_name().empty()) name += "." + schema.overload_name();
  for (const auto& argument : schema.arguments()) parameters.push_back(parameterOf(argument));
  for (auto& parameter : parameters) limit(schema.name(), parameter);
  writes =
      std::any_of(parameters.begin(), parameters.end(), [](const auto& p) { return p.written; });
  replacesMemory = (schema.name() == "aten::set_" || schema.name() == "aten::set_data") &&
                   parameters.size() > 1 && parameters[1].kind == Kind::Tensor;
  trustsDtype = replacesMemory && schema.name() == "aten::set_";
  results = schema.returns().size();
  returnsArguments =
      results > 0 &&
      std::all_of(schema.returns().begin(), schema.returns().end(), [](const auto& r) {
        return r.alias_info() != nullptr && r.alias_info()->isWrite();
      });
}

}  // namespace lyceum
