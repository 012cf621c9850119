#include "host/runs/git_index.hpp"

#include <algorithm>

#include "host/base/digest.hpp"

namespace perrin::runs {
namespace {

// Big-endian numbers and texts, never beyond the end.
class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}
  bool whole() const { return whole_; }
  std::string_view take(size_t n) {
    if (n > rest_.size()) return whole_ = false, std::string_view();
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  uint32_t number(size_t n) {
    uint32_t value = 0;
    for (const char c : take(n)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view text() {  // up to a NUL, which goes too
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return whole_ = false, std::string_view();
    const std::string_view taken = take(end);
    take(1);
    return taken;
  }
  uint64_t offset() {  // the variable-length number of packs' offsets
    unsigned char c = 0;
    uint64_t value = 0;
    do {
      const std::string_view taken = take(1);
      if (taken.empty() || value >> 48) return whole_ = false, 0;
      c = static_cast<unsigned char>(taken[0]);
      value = (value << 7) + (c & 127);
      if (c & 128) ++value;
    } while (c & 128);
    return value;
  }
  size_t size() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool whole_ = true;
};

IndexEntry parse_entry(Bytes& in, uint32_t version, const std::string& before) {
  const size_t begin = in.size();
  IndexEntry e;
  in.take(8);  // ctime
  e.seconds = in.number(4), e.nanoseconds = in.number(4);
  in.take(4);  // device
  e.inode = in.number(4), e.mode = in.number(4);
  in.take(8);  // owners
  e.size = in.number(4);
  e.sha1 = in.take(20);
  const uint32_t flags = in.number(2), extended = flags & 0x4000 ? in.number(2) : 0;
  e.unmerged = (flags & 0x3000) != 0;
  e.unwatched = (flags & 0x8000) != 0 || (extended & 0x4000) != 0;
  e.intended = (extended & 0x2000) != 0;
  if (version == 4) {
    const uint64_t cut = in.offset();
    e.name = before.substr(0, cut > before.size() ? 0 : before.size() - cut);
    e.name += in.text();
  } else {
    e.name = in.text();
    const size_t used = begin - in.size() - 1;  // without the NUL
    in.take((used / 8 + 1) * 8 - used - 1);     // one to eight NULs in all
  }
  return e;
}

// One tree object of the entries from `at` on whose names start with `prefix`; moves `at` behind them.
std::string tree(const std::vector<IndexEntry>& entries, size_t& at, const std::string& prefix) {
  std::string body;
  while (at < entries.size() && entries[at].name.starts_with(prefix)) {
    const IndexEntry& e = entries[at];
    const size_t slash = e.name.find('/', prefix.size());
    if (slash == std::string::npos) {
      char mode[16];
      std::snprintf(mode, sizeof mode, "%o", e.mode);
      if (!e.intended) body += std::string(mode) + " " + e.name.substr(prefix.size()) + '\0' + e.sha1;
      ++at;
      continue;
    }
    const std::string below = e.name.substr(0, slash + 1);
    const std::string sub = tree(entries, at, below);
    body += "40000 " + e.name.substr(prefix.size(), slash - prefix.size()) + '\0' + sub;
  }
  Digest hash(Digest::Algorithm::sha1);
  hash.add("tree " + std::to_string(body.size()) + '\0');
  hash.add(body);
  return hash.bytes();
}

}  // namespace

std::optional<std::vector<IndexEntry>> parse_index(std::string_view bytes) {
  Bytes in(bytes);
  if (in.take(4) != "DIRC") return std::nullopt;
  const uint32_t version = in.number(4), n = in.number(4);
  if (version < 2 || version > 4) return std::nullopt;
  std::vector<IndexEntry> entries;
  for (uint32_t i = 0; i < n && in.whole(); ++i)
    entries.push_back(parse_entry(in, version, entries.empty() ? "" : entries.back().name));
  while (in.whole() && in.size() > 20) {  // the file ends with its own sum
    const std::string_view id = in.take(4);
    if (id.empty() || id[0] < 'A' || id[0] > 'Z') return std::nullopt;  // one that must be understood
    in.take(in.number(4));
  }
  if (!in.whole() || in.size() != 20) return std::nullopt;
  return entries;
}

std::string tree_of(const std::vector<IndexEntry>& entries) {
  // As deep as names have slashes: longer ones than any system allows are forged.
  const auto strange = [](const IndexEntry& e) { return e.unmerged || e.name.size() > 4096; };
  if (std::ranges::any_of(entries, strange)) return "";
  size_t at = 0;
  return hex_of(tree(entries, at, ""));
}

}  // namespace perrin::runs
