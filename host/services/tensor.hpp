// A perrin_tensor is a reference-counted box around one at::Tensor.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>

#include "perrin/host/tensor.h"

namespace at {
class Tensor;
}

namespace perrin::services {

struct ReleaseTensor {
  void operator()(perrin_tensor* tensor) const;
};
// One reference; NULL where a tensor is optional.
using TensorHandle = std::unique_ptr<perrin_tensor, ReleaseTensor>;

// A new box. An undefined tensor gives an empty handle.
TensorHandle wrap(at::Tensor tensor);

// The tensor in the box. REQUIRES: not NULL.
const at::Tensor& unwrap(const perrin_tensor* tensor);
at::Tensor& unwrap(perrin_tensor* tensor);

// The tensor in a box whose reference the caller gives up; undefined for NULL.
at::Tensor take(perrin_tensor* reference);

// Where the run's tensors live and where plugins' `create` makes them: the CPU until it is set, once, before any
// component is used.
c10::Device run_device();
void set_run_device(c10::Device device);

// Boxes alive in this process; a balance of zero over a call means that no reference was lost.
int64_t live_tensors();

}  // namespace perrin::services
