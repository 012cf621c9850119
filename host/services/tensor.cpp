#include "host/services/tensor.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <sys/mman.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <new>
#include <utility>

#include "host/services/account.hpp"
#include "host/services/accuse.hpp"
#include "host/services/session.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"

struct perrin_tensor {
  at::Tensor value;
  std::atomic<uint32_t> references;  // 0: free
  std::atomic<uint32_t> lent;        // how many of them plugins own
  std::atomic<perrin::services::Account*> owner;  // whose those are: of the component that got the first of them
};

namespace perrin::services {
namespace {

std::atomic<int64_t> n_alive{0};

// The boxes' addresses. Untouched pages cost nothing.
class Boxes {
 public:
  static Boxes& get() {
    static auto* one = new Boxes;
    return *one;
  }

  perrin_tensor* add(at::Tensor value) {
    std::lock_guard lock(mutex_);
    size_t at = used_.load(std::memory_order_relaxed);
    if (free_.size() > kRest || at == kMost) {  // a freed box rests for a while, so that its old handle stays known as dead
      if (free_.empty()) throw Fault(PERRIN_OUT_OF_MEMORY, "there are as many tensors as there can be");
      at = free_.front();
      free_.pop_front();
    } else {
      used_.store(at + 1, std::memory_order_release);
    }
    auto* box = new (first_ + at) perrin_tensor{std::move(value), 0, 0, nullptr};
    box->references.store(1, std::memory_order_release);
    return box;
  }

  void remove(perrin_tensor* box) {
    const at::Tensor value = std::move(box->value);  // freed behind the lock
    std::lock_guard lock(mutex_);
    free_.push_back(static_cast<uint32_t>(box - first_));
  }

  bool alive(const perrin_tensor* tensor) const {
    const auto offset = reinterpret_cast<uintptr_t>(tensor) - reinterpret_cast<uintptr_t>(first_);
    return offset < used_.load(std::memory_order_acquire) * sizeof(perrin_tensor) &&
           offset % sizeof(perrin_tensor) == 0 && tensor->references.load(std::memory_order_relaxed) > 0;
  }

 private:
  static constexpr size_t kMost = size_t{1} << 23, kRest = 4096;

  Boxes() {
    void* range = ::mmap(nullptr, kMost * sizeof(perrin_tensor), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) throw std::bad_alloc();
    first_ = static_cast<perrin_tensor*>(range);
  }

  perrin_tensor* first_ = nullptr;
  std::atomic<size_t> used_{0};
  std::mutex mutex_;
  std::deque<uint32_t> free_;
};

void drop(perrin_tensor* tensor) {
  if (tensor->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Boxes::get().remove(tensor);
  n_alive.fetch_sub(1, std::memory_order_relaxed);
}

// A reference that a graph holds is released wherever the graph ends: it is counted off whom it was counted for.
void give_reference(perrin_tensor* tensor) {
  if (tensor->lent.fetch_add(1, std::memory_order_relaxed) == 0) tensor->owner.store(account, std::memory_order_relaxed);
  if (Account* owner = tensor->owner.load(std::memory_order_relaxed)) owner->held.fetch_add(1, std::memory_order_relaxed);
}

// For functions without a status. False for what is no living box, which is held against the plugin.
bool known(const perrin_tensor* tensor, const char* function) {
  if (Boxes::get().alive(tensor)) [[likely]]
    return true;
  accuse(std::string("called ") + function + " of perrin.tensor/1 with " + not_alive(tensor));
  return false;
}

void retain(perrin_tensor* tensor) {
  if (!known(tensor, "retain")) return;
  tensor->references.fetch_add(1, std::memory_order_relaxed);
  give_reference(tensor);
}

void release(perrin_tensor* tensor) {
  if (tensor == nullptr || !known(tensor, "release")) return;
  if (!take_back(tensor)) return accuse("released a tensor of which it owns no reference: once more than it retained");
  drop(tensor);
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

uint32_t dtype(const perrin_tensor* tensor) {
  return known(tensor, "dtype") ? static_cast<uint32_t>(tensor->value.scalar_type()) : PERRIN_FLOAT32;
}

uint32_t rank(const perrin_tensor* tensor) {
  return known(tensor, "rank") ? static_cast<uint32_t>(tensor->value.dim()) : 0;
}

int64_t size(const perrin_tensor* tensor, uint32_t dimension) {
  return dimension < rank(tensor) ? tensor->value.sizes()[dimension] : 1;
}

int64_t stride(const perrin_tensor* tensor, uint32_t dimension) {
  return dimension < rank(tensor) ? tensor->value.strides()[dimension] : 0;
}

void* data(perrin_tensor* tensor) {
  if (!known(tensor, "data")) return nullptr;
  return tensor->value.device().is_cpu() && tensor->value.has_storage() ? tensor->value.data_ptr() : nullptr;
}

perrin_status* create(uint32_t type, uint32_t rank, const int64_t* sizes, perrin_tensor** tensor) {
  return as_status([&] {
    if (rank > PERRIN_MAX_RANK)
      throw Fault(PERRIN_UNSUPPORTED, "rank " + std::to_string(rank) + " is above " + std::to_string(PERRIN_MAX_RANK));
    for (uint32_t i = 0; i < rank; ++i)
      if (sizes[i] < 0) throw Fault(PERRIN_INVALID_DATA, "a size is negative: " + std::to_string(sizes[i]));
    const auto options = at::TensorOptions(scalar_type(type)).device(Session::here().device());
    *tensor = lend(wrap(at::empty(at::IntArrayRef(sizes, rank), options)));
  });
}

perrin_tensor* wrap_native(const void* tensor) { return lend(wrap(*static_cast<const at::Tensor*>(tensor))); }

// What is no box gives an undefined tensor, with which LibTorch throws.
void* unwrap_native(perrin_tensor* tensor) {
  static thread_local at::Tensor undefined;
  undefined.reset();
  return known(tensor, "unwrap (perrin.torch-native/1)") ? &tensor->value : &undefined;
}

}  // namespace

constinit thread_local Account* account = nullptr;

Account* open_account() {
  static std::mutex mutex;
  static auto* all = new std::deque<Account>;
  std::lock_guard lock(mutex);
  return &all->emplace_back();
}

void ReleaseTensor::operator()(perrin_tensor* tensor) const {
  if (tensor != nullptr && alive(tensor)) drop(tensor);
}

TensorHandle wrap(at::Tensor tensor) {
  if (!tensor.defined()) return {};
  TensorHandle handle(Boxes::get().add(std::move(tensor)));
  n_alive.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

perrin_tensor* lend(TensorHandle handle) {
  if (!handle) return nullptr;
  give_reference(handle.get());
  return handle.release();
}

bool alive(const perrin_tensor* tensor) { return Boxes::get().alive(tensor); }

bool take_back(perrin_tensor* tensor) {
  Account* const owner = tensor->owner.load(std::memory_order_relaxed);
  uint32_t owned = tensor->lent.load(std::memory_order_relaxed);
  while (owned > 0 && !tensor->lent.compare_exchange_weak(owned, owned - 1, std::memory_order_relaxed)) {
  }
  if (owned == 0) return false;
  if (owner != nullptr) owner->held.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

std::string not_alive(const perrin_tensor* tensor) {
  return tensor == nullptr ? "NULL in place of a tensor" : "a tensor that was released, or never was one";
}

const at::Tensor& unwrap(const perrin_tensor* tensor) {
  if (!alive(tensor)) [[unlikely]]
    throw Fault(PERRIN_INVALID_DATA, "the host was given " + not_alive(tensor));
  return tensor->value;
}
at::Tensor& unwrap(perrin_tensor* tensor) {
  return const_cast<at::Tensor&>(unwrap(static_cast<const perrin_tensor*>(tensor)));
}
at::Tensor take(perrin_tensor* reference) {
  const TensorHandle handle(reference);
  return reference ? unwrap(reference) : at::Tensor();
}

at::Tensor take_lent(perrin_tensor* reference) {
  if (reference) take_back(reference);
  return take(reference);
}

Outputs::~Outputs() {
  for (perrin_tensor* reference : given_) const TensorHandle released(reference);
}

at::Tensor Outputs::take(size_t i) { return services::take(std::exchange(given_[i], nullptr)); }

int64_t live_tensors() { return n_alive.load(std::memory_order_relaxed); }

const perrin_host_tensor tensor_table = {
    sizeof(perrin_host_tensor), 0, retain, release, dtype, rank, size, stride, data, create, to_dlpack, from_dlpack};
const perrin_host_torch torch_table = {sizeof(perrin_host_torch), 0, wrap_native, unwrap_native};

}  // namespace perrin::services
