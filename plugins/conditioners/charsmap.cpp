#include "charsmap.hpp"

#include <algorithm>
#include <cstring>
#include <perrin/cpp/plugin.hpp>

#include "code_points.hpp"
#include "normalizer.hpp"

namespace text {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw perrin::Failure(PERRIN_INVALID_DATA, "its precompiled_charsmap is damaged: " + why);
}

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// RFC 4648, section 4.
std::string decoded(std::string_view base64) {
  while (base64.ends_with('=')) base64.remove_suffix(1);
  std::string bytes;
  uint32_t held = 0, bits = 0;
  for (const char c : base64) {
    if (value_of(c) < 0) refuse("it is not base64");
    held = held << 6 | static_cast<uint32_t>(value_of(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xFF);
  }
  return bytes;
}

// A unit of darts-clone's double array: 10 bits of label and flags, 22 of offset.
uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
uint32_t label(uint32_t unit) { return unit & (1u << 31 | 0xFF); }
bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
uint32_t value(uint32_t unit) { return unit & ~(1u << 31); }

}  // namespace

Charsmap::Charsmap(std::string_view base64) {
  const std::string bytes = decoded(base64);
  uint32_t size = 0;  // of the trie in bytes; the replacements follow
  if (bytes.size() < sizeof size) refuse("it is too short");
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size == 0 || size % 4 != 0 || size > bytes.size() - sizeof size) refuse("its trie is longer than the whole");
  trie_.resize(size / 4);
  std::memcpy(trie_.data(), bytes.data() + sizeof size, size);
  replacements_ = bytes.substr(sizeof size + size);
}

std::optional<std::string_view> Charsmap::replacement(std::string_view text) const {
  const auto unit = [&](uint32_t at) {
    if (at >= trie_.size()) refuse("its trie points outside itself");
    return trie_[at];
  };
  uint32_t node = trie_.empty() ? 0 : offset(unit(0));
  for (size_t i = 0; i < text.size() && !trie_.empty(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const uint32_t own = unit(node ^= byte);
    if (byte == 0 || label(own) != byte) break;
    node ^= offset(own);
    if (!has_leaf(own)) continue;
    const size_t first = std::min<size_t>(value(unit(node)), replacements_.size());
    return std::string_view(replacements_).substr(first, replacements_.find('\0', first) - first);
  }
  return {};
}

std::string Charsmap::operator()(std::string_view text) const {
  std::string result;
  for (const std::string_view cluster : graphemes(text)) {
    if (const auto whole = cluster.size() < 6 ? replacement(cluster) : std::nullopt) {
      require_length(result += *whole);
      continue;
    }
    for (size_t at = 0, behind = 0; at < cluster.size(); at = behind) {
      next_code_point(cluster, behind);
      const std::string_view one = cluster.substr(at, behind - at);
      require_length(result += replacement(one).value_or(one));
    }
  }
  return utf8(code_points(result));  // a table may cut characters
}

}  // namespace text
