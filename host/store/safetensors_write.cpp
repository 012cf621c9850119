#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "host/store/atomic_file.hpp"
#include "host/store/safetensors.hpp"
#include "host/store/safetensors_format.hpp"

namespace perrin::store {
namespace {

void check_tensor(const std::filesystem::path& path, const TensorView& tensor, std::set<std::string>& seen) {
  if (tensor.name == "__metadata__" || !seen.insert(tensor.name).second)
    throw Error("tensor name \"" + tensor.name + "\" is reserved or there twice", path.string());
  size_t bits = dtype_bits(tensor.dtype);
  for (const int64_t n : tensor.shape) bits *= static_cast<size_t>(n);
  const size_t bytes = bits / 8;
  if (bytes != tensor.bytes.size())
    throw Error("tensor \"" + tensor.name + "\" needs " + std::to_string(bytes) + " bytes for its shape, it has " +
                    std::to_string(tensor.bytes.size()),
                path.string());
}

// Wide types first, then by name, as the reference implementation does: so every tensor is aligned to its type.
std::vector<const TensorView*> in_file_order(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    const size_t wide_a = dtype_bits(a->dtype), wide_b = dtype_bits(b->dtype);
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  return order;
}

std::string make_header(const std::vector<const TensorView*>& order, const Metadata& metadata) {
  nlohmann::json header;
  header["__metadata__"] = metadata;
  header["__metadata__"][safetensors::kChecksumKey] = safetensors::kNoChecksum;
  size_t at = 0;
  for (const TensorView* tensor : order) {
    header[tensor->name] = {{"dtype", dtype_name(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {at, at + tensor->bytes.size()}}};
    at += tensor->bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + safetensors::kAlignment - 1) / safetensors::kAlignment * safetensors::kAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const Metadata& metadata) {
  std::set<std::string> seen;
  for (const TensorView& tensor : tensors) check_tensor(path, tensor, seen);
  const auto order = in_file_order(tensors);
  std::string header;
  try {
    header = make_header(order, metadata);
  } catch (const nlohmann::json::exception& error) {
    throw Error(std::string("a name or the metadata is not UTF-8: ") + error.what(), path.string());
  }
  const uint64_t length = header.size();  // x86-64 and arm64 are little-endian
  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(&length, 1)),
                                                   std::as_bytes(std::span(header))};
  for (const TensorView* tensor : order) parts.push_back(tensor->bytes);
  uint32_t crc = 0;
  for (const auto part : parts) crc = safetensors::crc(crc, part);
  std::memcpy(header.data() + safetensors::find_checksum(header), safetensors::hex(crc).data(), 8);
  write_atomically(path, parts);
}

}  // namespace perrin::store
