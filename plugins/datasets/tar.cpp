#include "tar.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "perrin/cpp/plugin.hpp"

namespace perrin::datasets {
namespace {

constexpr uint64_t block = 512;

[[noreturn]] void damaged(const std::string& path, uint64_t at, const std::string& what) {
  throw Failure(PERRIN_INVALID_DATA, path + ", byte " + std::to_string(at) + ": " + what);
}

std::string_view field_text(const char* header, size_t offset, size_t size) {
  return {header + offset, strnlen(header + offset, size)};
}

// Octal digits, or a big-endian number after the byte 0x80 (GNU, for 8 GiB and more).
uint64_t number(const char* field, size_t size, const std::string& path, uint64_t at) {
  uint64_t value = 0;
  if (static_cast<uint8_t>(field[0]) == 0x80) {
    for (size_t i = size - 8; i < size; ++i) value = value << 8 | static_cast<uint8_t>(field[i]);
    return value;
  }
  for (char c : field_text(field, 0, size)) {
    if (c == ' ') continue;
    if (c < '0' || c > '7')
      damaged(path, at, "a number of the header is not octal: not a tar archive, or a damaged one");
    value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// The sum of the header's bytes, its own field counted as blanks.
void check_sum(const char* header, const std::string& path, uint64_t at) {
  uint64_t sum = 0;
  for (size_t i = 0; i < block; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<uint8_t>(header[i]);
  if (sum != number(header + 148, 8, path, at))
    damaged(path, at, "a header's checksum is wrong: not a tar archive, or a damaged one");
}

// "path" of a pax header's records, "<length> path=<value>\n".
std::string pax_path(const std::string& records) {
  for (size_t at = 0; at < records.size();) {
    const size_t length = std::strtoul(&records[at], nullptr, 10), equals = records.find('=', at);
    if (length == 0 || at + length > records.size() || equals == std::string::npos) break;
    const size_t blank = records.find(' ', at);
    if (records.substr(blank + 1, equals - blank - 1) == "path")
      return records.substr(equals + 1, at + length - equals - 2);
    at += length;
  }
  return {};
}

std::string contents(std::ifstream& file, const std::string& path, uint64_t offset, uint64_t size) {
  std::string bytes(size, '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) damaged(path, offset, "the archive is cut");
  return bytes;
}

std::ifstream opened(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(PERRIN_IO, path + ": " + std::strerror(errno));
  return file;
}

}  // namespace

std::vector<TarMember> list_tar(const std::string& path) {
  std::ifstream file = opened(path);
  file.seekg(0, std::ios::end);
  const auto total = static_cast<uint64_t>(file.tellg());
  std::vector<TarMember> members;
  std::string long_name;
  for (uint64_t at = 0; at < total;) {
    const std::string header = contents(file, path, at, std::min(block, total - at));
    if (header.size() < block) damaged(path, at, "the archive is cut");
    if (header[0] == '\0' && std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; }))
      return members;
    if (at == 0 && header.starts_with("\x1f\x8b")) damaged(path, 0, "compressed: unpack it with gunzip first");
    check_sum(header.data(), path, at);
    TarMember member{std::string(field_text(header.data(), 0, 100)), at + block, number(&header[124], 12, path, at)};
    if (member.size > total || member.offset + member.size > total)
      damaged(path, at, "the archive is cut within " + member.name);
    const std::string_view prefix = field_text(header.data(), 345, 155);
    if (header.compare(257, 6, std::string("ustar\0", 6)) == 0 && !prefix.empty())
      member.name = std::string(prefix) + "/" + member.name;
    const char type = header[156];
    if (type == 'L') {  // GNU: the next member's name
      long_name = contents(file, path, member.offset, member.size);
      long_name.resize(strnlen(long_name.data(), long_name.size()));
    } else if (type == 'x') {
      long_name = pax_path(contents(file, path, member.offset, member.size));
    } else {
      if (!long_name.empty()) member.name = std::exchange(long_name, {});
      if (member.name.starts_with("./")) member.name.erase(0, 2);
      if (type == '0' || type == '\0') members.push_back(member);
    }
    at = member.offset + (member.size + block - 1) / block * block;
  }
  damaged(path, total, "the archive is cut: its end mark is missing");
}

std::string read_member(const std::string& path, const TarMember& member) {
  std::ifstream file = opened(path);
  return contents(file, path, member.offset, member.size);
}

}  // namespace perrin::datasets
