// Inside host/store only: what reading and writing share.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace perrin::store::safetensors {

inline constexpr size_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
inline constexpr size_t kAlignment = 8;
// The CRC-32 of the whole file with these eight digits as zeros.
inline constexpr const char* kChecksumKey = "perrin.crc32";
inline constexpr const char* kNoChecksum = "00000000";

inline uint32_t crc(uint32_t before, std::span<const std::byte> bytes) {
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), size_t{1} << 30)))
    before = static_cast<uint32_t>(crc32(before, reinterpret_cast<const Bytef*>(bytes.data()),
                                         static_cast<uInt>(std::min(bytes.size(), size_t{1} << 30))));
  return before;
}

inline std::string hex(uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

// Offset of the eight digits in a header that we wrote; npos if there are none.
inline size_t find_checksum(std::string_view header) {
  const std::string before = std::string("\"") + kChecksumKey + "\":\"";
  const size_t at = header.find(before);
  const bool whole =
      at != std::string_view::npos && at + before.size() + 9 <= header.size() && header[at + before.size() + 8] == '"';
  return whole ? at + before.size() : std::string_view::npos;
}

}  // namespace perrin::store::safetensors
