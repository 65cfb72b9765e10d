// What a gradient keeps of an operator's inputs.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace lyceum {

// A tensor of our own over the input's memory. The input itself may be given other data until the
// gradient is asked for (set_data, as in Module.to), of other sizes even, which no version counts;
// writes to the memory are counted as ever. To be called before the operator goes below autograd.
inline at::Tensor alias_of(const at::Tensor& input) {
  return input.defined() ? input.detach() : input;
}

inline std::vector<at::Tensor> aliases_of(at::TensorList inputs) {
  std::vector<at::Tensor> aliases;
  for (const at::Tensor& input : inputs) aliases.push_back(alias_of(input));
  return aliases;
}

}  // namespace lyceum
