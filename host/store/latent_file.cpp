#include "host/store/latent_file.hpp"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

namespace perrin::store {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "perrin.latents/1";
constexpr uint64_t kPrime[] = {11400714785074694791u, 14029467366897019727u, 1609587929392839161u, 9650029242287828579u,
                               2870177450012600261u};

template <class T>
T read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint64_t mixed(uint64_t lane, uint64_t word) { return std::rotl(lane + word * kPrime[1], 31) * kPrime[0]; }

}  // namespace

uint64_t xxh64(std::span<const std::byte> bytes) {
  const std::byte *at = bytes.data(), *const end = at + bytes.size();
  uint64_t hash = kPrime[4];
  if (bytes.size() >= 32) {
    uint64_t lane[4] = {kPrime[0] + kPrime[1], kPrime[1], 0, 0 - kPrime[0]};
    for (; end - at >= 32; at += 32)
      for (int i = 0; i < 4; ++i) lane[i] = mixed(lane[i], read<uint64_t>(at + 8 * i));
    hash = std::rotl(lane[0], 1) + std::rotl(lane[1], 7) + std::rotl(lane[2], 12) + std::rotl(lane[3], 18);
    for (const uint64_t l : lane) hash = (hash ^ mixed(0, l)) * kPrime[0] + kPrime[3];
  }
  hash += bytes.size();
  for (; end - at >= 8; at += 8) hash = std::rotl(hash ^ mixed(0, read<uint64_t>(at)), 27) * kPrime[0] + kPrime[3];
  for (; end - at >= 4; at += 4) hash = std::rotl(hash ^ read<uint32_t>(at) * kPrime[0], 23) * kPrime[1] + kPrime[2];
  for (; at < end; ++at) hash = std::rotl(hash ^ static_cast<uint64_t>(*at) * kPrime[4], 11) * kPrime[0];
  hash = (hash ^ hash >> 33) * kPrime[1];
  hash = (hash ^ hash >> 29) * kPrime[2];
  return hash ^ hash >> 32;
}

std::string latent_page(const LatentHeader& header) {
  std::string page = json{
      {"format", kFormat},
      {"key", header.key},
      {"what", header.what},
      {"shape", header.shape},
      {"checksum",
       header.checksum}}.dump();
  page.resize(kLatentPage, '\0');
  return page;
}

std::optional<LatentHeader> latent_header(std::string_view page) try {
  const json held = json::parse(page.substr(0, page.find('\0')), nullptr, false);
  if (!held.is_object() || held.at("format") != kFormat) return std::nullopt;
  const LatentHeader header{held.at("key"), held.at("what"), held.at("shape"), held.at("checksum")};
  return latent_page(header) == page ? std::optional(header) : std::nullopt;
} catch (const json::exception&) {
  return std::nullopt;
}

}  // namespace perrin::store
