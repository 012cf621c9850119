// A file of float32 rows behind a page that says what they are and what they sum to: the cache of latents.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace perrin::store {

struct LatentHeader {
  std::string key;             // 64 hexadecimal digits, of all that the rows follow from
  std::string what;            // "captioned-shapes by autoencoder-kl", for people
  std::vector<int64_t> shape;  // [N, ...]
  uint64_t checksum = 0;       // XXH64 of the rows
  bool operator==(const LatentHeader&) const = default;
};

inline constexpr size_t kLatentPage = 4096;  // the header's; rows follow

// The page; its text is JSON, then NUL. Requires that it fits.
std::string latent_page(const LatentHeader& header);
// Of a page that was read; none if it is damaged or of another format.
std::optional<LatentHeader> latent_header(std::string_view page);

// XXH64 of Yann Collet's xxHash (seed 0), which reads memory at its speed.
uint64_t xxh64(std::span<const std::byte> bytes);

}  // namespace perrin::store
