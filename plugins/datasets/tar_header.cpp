#include "tar_header.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "perrin/cpp/plugin.hpp"

namespace perrin::datasets {
namespace {

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Failure(PERRIN_INVALID_DATA, where + ": " + what);
}

std::string_view text_of(const TarBlock& block, size_t offset, size_t size) {
  return {&block[offset], strnlen(&block[offset], size)};
}

// Octal digits between blanks, or a big-endian number behind the byte 0x80 (GNU, for 8 GiB and more); nothing for
// others.
std::optional<uint64_t> number(const TarBlock& block, size_t offset, size_t size) {
  uint64_t value = 0;
  if (static_cast<uint8_t>(block[offset]) >= 0x80) {
    if (static_cast<uint8_t>(block[offset]) != 0x80) return std::nullopt;  // 0xFF: negative
    for (size_t i = 1; i < size; ++i) {
      if (value >> 56 != 0) return std::nullopt;
      value = value << 8 | static_cast<uint8_t>(block[offset + i]);
    }
    return value;
  }
  std::string_view digits = text_of(block, offset, size);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find_last_not_of(' ') + 1);
  if (digits.empty()) return 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

bool is_zero(const TarBlock& block) {
  return std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; });
}

// Its own field counts as blanks. Old archives sum signed bytes.
bool has_sum(const TarBlock& block) {
  int64_t plain = 0, with_sign = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const char c = i >= 148 && i < 156 ? ' ' : block[i];
    plain += static_cast<uint8_t>(c);
    with_sign += static_cast<int8_t>(c);
  }
  const std::optional<uint64_t> sum = number(block, 148, 8);
  return sum && (static_cast<int64_t>(*sum) == plain || static_cast<int64_t>(*sum) == with_sign);
}

TarHeader parse_header(const TarBlock& block, const std::string& where) {
  const std::optional<uint64_t> size = number(block, 124, 12);
  if (!size)
    damaged(where, "the size of " + std::string(text_of(block, 0, 100)) + " is no number, negative or too large");
  TarHeader header{std::string(text_of(block, 0, 100)), std::string(text_of(block, 157, 100)), *size, block[156],
                   block[482] != '\0'};
  const std::string_view prefix = text_of(block, 345, 155);
  if (std::memcmp(&block[257], "ustar", 6) == 0 && !prefix.empty())
    header.name = std::string(prefix) + "/" + header.name;
  if (header.type == '\0' || header.type == '7') header.type = header.name.ends_with('/') ? '5' : '0';
  return header;
}

void parse_pax(std::string_view text, const std::string& where, std::map<std::string, std::string>& records) {
  while (!text.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const size_t begin = static_cast<size_t>(end - text.data()) + 1;
    if (error != std::errc() || begin > text.size() || *end != ' ' || length <= begin || length > text.size() ||
        text[length - 1] != '\n')
      damaged(where, "a pax header whose records are not \"<length> <key>=<value>\"");
    const std::string_view record = text.substr(begin, length - 1 - begin);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) damaged(where, "a pax header with a record without \"=\"");
    const std::string key(record.substr(0, equals));
    records[key] = record.substr(equals + 1);
    text.remove_prefix(length);
  }
}

uint64_t pax_size(const std::string& value, const std::string& where) {
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
  if (error != std::errc() || end != value.data() + value.size())
    damaged(where, "a pax header whose size \"" + value.substr(0, 32) + "\" is no number of bytes");
  return size;
}

}  // namespace perrin::datasets
