#include "host/services/tensor.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <atomic>

#include "host/services/status.hpp"
#include "host/services/tables.hpp"

struct perrin_tensor {
  at::Tensor value;
  std::atomic<uint32_t> references{1};
};

namespace perrin::services {
namespace {

std::atomic<int64_t> alive{0};
c10::Device device_of_run{c10::kCPU};

void retain(perrin_tensor* tensor) { tensor->references.fetch_add(1, std::memory_order_relaxed); }

void release(perrin_tensor* tensor) {
  if (tensor == nullptr || tensor->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  delete tensor;
  alive.fetch_sub(1, std::memory_order_relaxed);
}

// PERRIN_FLOAT32 and its like are at::ScalarType's numbers; the headers promise these eight.
static_assert(PERRIN_UINT8 == int(at::kByte) && PERRIN_INT32 == int(at::kInt) && PERRIN_INT64 == int(at::kLong) &&
              PERRIN_FLOAT16 == int(at::kHalf) && PERRIN_FLOAT32 == int(at::kFloat) &&
              PERRIN_FLOAT64 == int(at::kDouble) && PERRIN_BOOL == int(at::kBool) &&
              PERRIN_BFLOAT16 == int(at::kBFloat16));

at::ScalarType scalar_type(uint32_t dtype) {
  switch (dtype) {
    case PERRIN_UINT8:
    case PERRIN_INT32:
    case PERRIN_INT64:
    case PERRIN_FLOAT16:
    case PERRIN_FLOAT32:
    case PERRIN_FLOAT64:
    case PERRIN_BOOL:
    case PERRIN_BFLOAT16:
      return static_cast<at::ScalarType>(dtype);
    default:
      throw Fault(PERRIN_UNSUPPORTED, "there is no dtype number " + std::to_string(dtype));
  }
}

uint32_t dtype(const perrin_tensor* tensor) { return static_cast<uint32_t>(tensor->value.scalar_type()); }

uint32_t rank(const perrin_tensor* tensor) { return static_cast<uint32_t>(tensor->value.dim()); }

int64_t size(const perrin_tensor* tensor, uint32_t dimension) {
  return dimension < rank(tensor) ? tensor->value.sizes()[dimension] : 1;
}

int64_t stride(const perrin_tensor* tensor, uint32_t dimension) {
  return dimension < rank(tensor) ? tensor->value.strides()[dimension] : 0;
}

void* data(perrin_tensor* tensor) {
  return tensor->value.device().is_cpu() && tensor->value.has_storage() ? tensor->value.data_ptr() : nullptr;
}

perrin_status* create(uint32_t type, uint32_t rank, const int64_t* sizes, perrin_tensor** tensor) {
  return as_status([&] {
    if (rank > PERRIN_MAX_RANK)
      throw Fault(PERRIN_UNSUPPORTED, "rank " + std::to_string(rank) + " is above " + std::to_string(PERRIN_MAX_RANK));
    *tensor = wrap(at::empty(at::IntArrayRef(sizes, rank), at::TensorOptions(scalar_type(type)).device(device_of_run)))
                  .release();
  });
}

perrin_tensor* wrap_native(const void* tensor) { return wrap(*static_cast<const at::Tensor*>(tensor)).release(); }

void* unwrap_native(perrin_tensor* tensor) { return &tensor->value; }

}  // namespace

void ReleaseTensor::operator()(perrin_tensor* tensor) const { release(tensor); }

TensorHandle wrap(at::Tensor tensor) {
  if (!tensor.defined()) return {};
  TensorHandle handle(new perrin_tensor{std::move(tensor)});
  alive.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

const at::Tensor& unwrap(const perrin_tensor* tensor) { return tensor->value; }
at::Tensor& unwrap(perrin_tensor* tensor) { return tensor->value; }
at::Tensor take(perrin_tensor* reference) {
  const TensorHandle handle(reference);
  return reference ? unwrap(reference) : at::Tensor();
}

c10::Device run_device() { return device_of_run; }
void set_run_device(c10::Device device) { device_of_run = device; }
int64_t live_tensors() { return alive.load(std::memory_order_relaxed); }

const perrin_host_tensor tensor_table = {
    sizeof(perrin_host_tensor), 0, retain, release, dtype, rank, size, stride, data, create, to_dlpack, from_dlpack};
const perrin_host_torch torch_table = {sizeof(perrin_host_torch), 0, wrap_native, unwrap_native};

}  // namespace perrin::services
