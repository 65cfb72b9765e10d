// What JavaScript may ask of a tensor by its handle, and how bytes go in and out.
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>

#include "bridge/values.h"

namespace lyceum {
namespace {

// A copy: reading arguments may run JavaScript, which may release the handle.
at::Tensor self(const Call& call) { return call.bridge.tensor(toInt(call.env, call[0])); }

struct Handles {
  const int32_t* first;
  int64_t count;
};

// The first `call[1]` elements of the Int32Array `call[0]`.
Handles handles(const Call& call) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  check(call.env,
        napi_get_typedarray_info(call.env, call[0], &type, &length, &data, nullptr, nullptr));
  if (type != napi_int32_array) throw BadArgument("must be an Int32Array");
  return {static_cast<int32_t*>(data), std::min<int64_t>(toInt(call.env, call[1]), length)};
}

// release(handles, count): dead ones ignored.
napi_value release(const Call& call) {
  const auto [first, count] = handles(call);
  for (int64_t i = 0; i < count; ++i) call.bridge.release(first[i]);
  call.bridge.dropDeadBuffers();
  return nullptr;
}

napi_value releaseOne(const Call& call) {
  int32_t handle = 0;
  napi_get_value_int32(call.env, call[0], &handle);
  call.bridge.release(handle);
  return nullptr;
}

// leaveToCollector(handle, object): whether a collection and a sweep are due.
napi_value leaveToCollector(const Call& call) {
  int32_t handle = 0;
  napi_get_value_int32(call.env, call[0], &handle);
  return boolean(call.env, call.bridge.leaveToCollector(handle, call[1]));
}

// leaveGroup(handles, count, object): the same.
napi_value leaveGroup(const Call& call) {
  const auto [first, count] = handles(call);
  return boolean(call.env, call.bridge.leaveGroup(first, count, call[2]));
}

napi_value takeFromCollector(const Call& call) {
  int32_t handle = 0;
  napi_get_value_int32(call.env, call[0], &handle);
  call.bridge.takeFromCollector(handle);
  return nullptr;
}

// sweep(all): the objects of groups to be left anew; undefined for none.
napi_value sweep(const Call& call) { return call.bridge.sweep(toBool(call.env, call[0])); }

napi_value shape(const Call& call) {
  const at::Tensor tensor = self(call);
  const auto sizes = tensor.sizes();
  napi_value array;
  check(call.env, napi_create_array_with_length(call.env, sizes.size(), &array));
  for (size_t i = 0; i < sizes.size(); ++i) {
    check(call.env, napi_set_element(call.env, array, i, integer(call.env, sizes[i])));
  }
  return array;
}

napi_value strides(const Call& call) {
  const at::Tensor tensor = self(call);
  const auto steps = tensor.strides();
  napi_value array;
  check(call.env, napi_create_array_with_length(call.env, steps.size(), &array));
  for (size_t i = 0; i < steps.size(); ++i) {
    check(call.env, napi_set_element(call.env, array, i, integer(call.env, steps[i])));
  }
  return array;
}

napi_value dtype(const Call& call) { return text(call.env, nameOf(self(call).scalar_type())); }
napi_value device(const Call& call) { return text(call.env, self(call).device().str()); }
napi_value numel(const Call& call) { return integer(call.env, self(call).numel()); }

napi_value isContiguous(const Call& call) {
  const std::string format = toString(call.env, call[1]);
  if (format != "contiguous" && format != "channelsLast") {
    throw BadArgument("the memory format must be \"contiguous\" or \"channelsLast\"");
  }
  const bool last = format == "channelsLast";
  return boolean(call.env, self(call).is_contiguous(last ? at::MemoryFormat::ChannelsLast
                                                         : at::MemoryFormat::Contiguous));
}

struct Bytes {
  void* data;
  size_t length;
};

Bytes bytesOf(const Call& call, napi_value value) {
  bool typed = false;
  if (value != nullptr) check(call.env, napi_is_typedarray(call.env, value, &typed));
  if (!typed) throw BadArgument("the data must be a typed array");
  napi_typedarray_type type;
  size_t length = 0;
  Bytes bytes{};
  check(call.env,
        napi_get_typedarray_info(call.env, value, &type, &length, &bytes.data, nullptr, nullptr));
  size_t width = 8;
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array: width = 1; break;
    case napi_int16_array:
    case napi_uint16_array: width = 2; break;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: width = 4; break;
    default: break;
  }
  bytes.length = length * width;
  return bytes;
}

// Whether the sizes' product in bytes is what the buffer holds.
void checkSizes(const std::vector<int64_t>& sizes, at::ScalarType type, size_t length) {
  const auto item = static_cast<int64_t>(c10::elementSize(type));
  const auto capacity = static_cast<int64_t>(length) / item;
  int64_t product = 1;
  for (const int64_t size : sizes) {
    if (size < 0) throw BadArgument("a size of the shape is negative");
    if (size != 0 && product > capacity / size) {
      product = capacity + 1;
    } else {
      product *= size;
    }
  }
  if (product != capacity || static_cast<int64_t>(length) % item != 0) {
    throw BadArgument("the shape does not hold as many elements as the data");
  }
}

// fromBytes(typedArray, dtype, shape): a copy.
napi_value fromBytes(const Call& call) {
  const at::ScalarType type = scalarTypeOf(toString(call.env, call[1]));
  // The sizes first: reading the array may run JavaScript, which may detach the buffer.
  const auto sizes = toInts(call.env, call[2]);
  const Bytes bytes = bytesOf(call, call[0]);
  checkSizes(sizes, type, bytes.length);
  at::Tensor tensor = at::empty(sizes, at::TensorOptions().dtype(type));
  if (bytes.length > 0) std::memcpy(tensor.data_ptr(), bytes.data, bytes.length);
  return integer(call.env, call.bridge.hold(std::move(tensor)));
}

// fromShared(typedArray, dtype, shape): a view of memory that JavaScript keeps. The caller has made
// sure that the array stands on a SharedArrayBuffer, which, unlike an ArrayBuffer, can never be
// detached or shrunk.
napi_value fromShared(const Call& call) {
  const at::ScalarType type = scalarTypeOf(toString(call.env, call[1]));
  // The sizes first: reading the array may run JavaScript, which may detach the buffer.
  const auto sizes = toInts(call.env, call[2]);
  const Bytes bytes = bytesOf(call, call[0]);
  checkSizes(sizes, type, bytes.length);
  napi_ref reference;
  check(call.env, napi_create_reference(call.env, call[0], 1, &reference));
  const auto buffers = call.bridge.buffers;
  const auto letGo = [buffers, reference](void*) {
    std::lock_guard<std::mutex> lock(buffers->mutex);
    buffers->dead.push_back(reference);
  };
  at::Tensor tensor = at::from_blob(bytes.data, sizes, letGo, at::TensorOptions().dtype(type));
  return integer(call.env, call.bridge.hold(std::move(tensor)));
}

// read(handle, typedArray): copies a contiguous CPU tensor's bytes out.
napi_value read(const Call& call) {
  const at::Tensor tensor = self(call);
  const Bytes bytes = bytesOf(call, call[1]);
  if (!tensor.device().is_cpu() || !tensor.has_storage() || !tensor.is_contiguous()) {
    throw BadArgument("only a contiguous CPU tensor can be read");
  }
  if (tensor.is_conj() || tensor.is_neg()) {
    throw BadArgument("the tensor is a lazy conjugate or negative");
  }
  if (tensor.nbytes() != bytes.length) throw BadArgument("the buffer's size is not the tensor's");
  if (bytes.length > 0) std::memcpy(bytes.data, tensor.data_ptr(), bytes.length);
  return nullptr;
}

// copyOut(handle, typedArray): copies a tensor's elements in order, whatever its layout and device.
napi_value copyOut(const Call& call) {
  const at::Tensor tensor = self(call).detach();
  const Bytes bytes = bytesOf(call, call[1]);
  if (!tensor.has_storage() || tensor.is_conj() || tensor.is_neg()) {
    throw BadArgument("only a dense tensor can be read");
  }
  if (static_cast<size_t>(tensor.numel()) * tensor.element_size() != bytes.length) {
    throw BadArgument("the buffer's size is not the tensor's");
  }
  if (bytes.length == 0) return nullptr;
  const at::NoGradGuard guard;
  at::from_blob(bytes.data, tensor.sizes(), tensor.options().device(at::kCPU)).copy_(tensor);
  return nullptr;
}

napi_value memory(const Call& call) {
  napi_value object;
  check(call.env, napi_create_object(call.env, &object));
  check(call.env, napi_set_named_property(call.env, object, "tensors",
                                          integer(call.env, call.bridge.tensors.live())));
  check(call.env,
        napi_set_named_property(call.env, object, "bytes", integer(call.env, call.bridge.bytes)));
  return object;
}

}  // namespace

void exposeTensors(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "copyOut", copyOut);
  expose(env, exports, bridge, "release", release);
  expose(env, exports, bridge, "releaseOne", releaseOne);
  expose(env, exports, bridge, "leaveToCollector", leaveToCollector);
  expose(env, exports, bridge, "leaveGroup", leaveGroup);
  expose(env, exports, bridge, "takeFromCollector", takeFromCollector);
  expose(env, exports, bridge, "sweep", sweep);
  expose(env, exports, bridge, "shape", shape);
  expose(env, exports, bridge, "strides", strides);
  expose(env, exports, bridge, "dtype", dtype);
  expose(env, exports, bridge, "device", device);
  expose(env, exports, bridge, "numel", numel);
  expose(env, exports, bridge, "isContiguous", isContiguous);
  expose(env, exports, bridge, "fromBytes", fromBytes);
  expose(env, exports, bridge, "fromShared", fromShared);
  expose(env, exports, bridge, "read", read);
  expose(env, exports, bridge, "memory", memory);
}

}  // namespace lyceum
