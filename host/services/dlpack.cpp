// DLPack in and out. Alone in its file: ATen/DLConvertor.h includes all of ATen.
#include <ATen/DLConvertor.h>

#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {

perrin_status* to_dlpack(perrin_tensor* tensor, DLManagedTensorVersioned** managed) {
  return as_status([&] {
    const at::Tensor& value = unwrap(tensor);
    if (value.requires_grad())
      throw Fault(PERRIN_UNSUPPORTED, "DLPack carries no gradients: detach the tensor first (aten::detach)");
    *managed = at::toDLPackVersioned(value);
  });
}

perrin_status* from_dlpack(DLManagedTensorVersioned* managed, perrin_tensor** tensor) {
  return as_status([&] {
    if (managed == nullptr) throw Fault(PERRIN_INVALID_DATA, "no DLPack tensor was given");
    if (managed->version.major != DLPACK_MAJOR_VERSION)
      throw Fault(PERRIN_UNSUPPORTED, "DLPack major version " + std::to_string(managed->version.major) +
                                          "; this host reads version " + std::to_string(DLPACK_MAJOR_VERSION));
    if (managed->dl_tensor.ndim < 0 || managed->dl_tensor.ndim > int32_t{PERRIN_MAX_RANK})
      throw Fault(PERRIN_UNSUPPORTED, "rank " + std::to_string(managed->dl_tensor.ndim) + " is not in 0.." +
                                          std::to_string(PERRIN_MAX_RANK));
    *tensor = lend(wrap(at::fromDLPackVersioned(managed)));
  });
}

}  // namespace perrin::services
