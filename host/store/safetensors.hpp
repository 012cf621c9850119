// Checkpoints: files of the safetensors format (8 bytes little-endian header length, JSON header, data), which the
// `safetensors` packages of every language read. Ours carry a CRC-32 of the whole file, so damage is always noticed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace perrin::store {

// Names as in the format: BOOL U8 I8 U16 I16 F16 BF16 U32 I32 F32 U64 I64 F64 C64, five 8-bit floats, and the 6 and 4-bit
// floats, whose values lie side by side.
enum class Dtype {
  boolean, u8, i8, f8_e5m2, f8_e4m3, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64,
  c64, f8_e8m0, f8_e5m2fnuz, f8_e4m3fnuz, f6_e2m3, f6_e3m2, f4
};
std::string_view dtype_name(Dtype dtype);
std::optional<Dtype> dtype_of(std::string_view name);
size_t dtype_bits(Dtype dtype);

// The caller owns the bytes: row-major, little-endian, product(shape) * dtype_bits(dtype) / 8 of them.
struct TensorView {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

using Metadata = std::map<std::string, std::string>;

// Replaces `path` by a complete, fsynced file, or leaves it as it was and throws perrin::Error (full disk, a tensor
// whose bytes do not fit its shape, two of one name). Metadata keys starting with "perrin." are ours.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const Metadata& metadata);

enum class Checksum { required, if_present };  // if_present: files of other programs

class SafeTensors {
 public:
  SafeTensors() = default;  // no tensor

  // Reads and verifies everything; perrin::Error for any cut or changed byte, and for a file of another kind, which it
  // calls what it is.
  static SafeTensors open(const std::filesystem::path& path, Checksum checksum = Checksum::required);

  const TensorView* find(std::string_view name) const;  // nullptr if absent; lives as long as this object
  std::vector<std::string> names() const;               // sorted
  void take(SafeTensors other);                         // its tensors and metadata too; names that are there stay
  const Metadata& metadata() const { return metadata_; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::vector<std::unique_ptr<std::byte, Free>> files_;  // 64-byte aligned
  Metadata metadata_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace perrin::store
