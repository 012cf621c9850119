#include "host/services/unchanged.hpp"

#include <ATen/core/Tensor.h>

#include <cstring>

#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

uint64_t digest_of(const void* data, size_t bytes) {
  const auto* at = static_cast<const std::byte*>(data);
  uint64_t digest = bytes;
  for (; bytes >= 8; at += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    digest = (digest ^ word) * 0x9e37'79b9'7f4a'7c15u;
    digest ^= digest >> 29;
  }
  for (; bytes > 0; ++at, --bytes) digest = (digest ^ static_cast<uint64_t>(*at)) * 0x9e37'79b9'7f4a'7c15u;
  return digest;
}

uint64_t digest_of(perrin_tensor* handle) {
  const at::Tensor& tensor = unwrap(handle);
  if (tensor.numel() == 0) return 0;
  const at::Tensor host = tensor.detach().to(at::kCPU);
  const at::Tensor dense = host.is_non_overlapping_and_dense() ? host : host.contiguous();
  return digest_of(dense.const_data_ptr(), dense.nbytes());
}

}  // namespace

void Unchanged::add(const char* name, const void* data, size_t bytes) {
  if (closely_ && data != nullptr) inputs_.push_back({name, data, bytes, nullptr, digest_of(data, bytes)});
}

void Unchanged::add(const char* name, perrin_tensor* tensor) {
  if (closely_ && tensor != nullptr) inputs_.push_back({name, nullptr, 0, tensor, digest_of(tensor)});
}

void Unchanged::add(uint32_t n, const perrin_named_tensor* tensors) {
  for (uint32_t i = 0; closely_ && i < n; ++i)
    if (tensors[i].tensor != nullptr)
      inputs_.push_back({{tensors[i].name.data, tensors[i].name.size}, nullptr, 0, tensors[i].tensor, digest_of(tensors[i].tensor)});
}

void Unchanged::check() const {
  for (const Input& input : inputs_)
    if ((input.tensor ? digest_of(input.tensor) : digest_of(input.data, input.bytes)) != input.digest)
      call_.wrong("wrote into its input " + input.name + ", which it only borrows");
}

}  // namespace perrin::services
