// A perrin_tensor is a reference-counted box around one at::Tensor. Plugins name boxes by pointers that may be anything,
// so boxes lie in one range of addresses that is never unmapped: whether a pointer is a living box is known without
// following it. A box counts apart the references that plugins own, so that one release too many, or a tensor returned
// without a reference of its own, is seen where it happens.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "perrin/host/tensor.h"

namespace at {
class Tensor;
}

namespace perrin::services {

struct ReleaseTensor {
  void operator()(perrin_tensor* tensor) const;
};
// One reference of the host's; NULL where a tensor is optional.
using TensorHandle = std::unique_ptr<perrin_tensor, ReleaseTensor>;

// A new box. An undefined tensor gives an empty handle.
TensorHandle wrap(at::Tensor tensor);

// The host's reference becomes a plugin's, which the plugin releases. NULL for an empty handle.
perrin_tensor* lend(TensorHandle handle);

// Is this a box, or was it one?
bool alive(const perrin_tensor* tensor);
// A plugin's reference, given up by it, becomes the host's. False where no plugin owns one: nothing is taken.
bool take_back(perrin_tensor* tensor);

// The tensor in the box. Throws Fault (PERRIN_INVALID_DATA) for what is no living box.
const at::Tensor& unwrap(const perrin_tensor* tensor);
at::Tensor& unwrap(perrin_tensor* tensor);

// The tensor in a box whose reference the caller gives up; undefined for NULL.
at::Tensor take(perrin_tensor* reference);
// The same of a reference that a service lent, where the host called that service itself.
at::Tensor take_lent(perrin_tensor* reference);

// Room for the references that a call gives. What nobody takes is released.
class Outputs {
 public:
  explicit Outputs(size_t n) : given_(n) {}
  ~Outputs();
  Outputs(const Outputs&) = delete;

  perrin_tensor** data() { return given_.data(); }
  at::Tensor take(size_t i);  // once for each; undefined for NULL

 private:
  std::vector<perrin_tensor*> given_;
};

// Boxes alive in this process; a balance of zero over a call means that no reference was lost.
int64_t live_tensors();

}  // namespace perrin::services
