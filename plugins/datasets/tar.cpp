#include "tar.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>

#include "names.hpp"
#include "perrin/cpp/text_file.hpp"
#include "tar_header.hpp"

namespace perrin::datasets {
namespace {

// Names and pax records; a longer header is a damaged or hostile one.
constexpr uint64_t max_extension = 1 << 20;

class Lister {
 public:
  Lister(const RegularFile& file, Tally& tally) : file_(file), tally_(tally) {}

  std::vector<TarMember> members() {
    while (at_ < file_.size())
      if (!step()) break;
    if (!ended_) damaged("the archive is cut: its end mark is missing");
    std::vector<TarMember> members;
    for (size_t i = 0; i < entries_.size(); ++i) {
      const Entry* from = resolved(i);
      if (!from) {
        tally_.add(reason::dangling, entries_[i].member.name);
        continue;
      }
      members.push_back(from->member);
      members.back().name = entries_[i].member.name;
    }
    return members;
  }

 private:
  struct Entry {
    TarMember member;
    char link = 0;  // '1' hard, '2' symbolic
    std::string target;
  };
  using Records = std::map<std::string, std::string>;

  std::string where() const { return file_.path() + ", byte " + std::to_string(at_); }
  [[noreturn]] void damaged(const std::string& what) const {
    throw Failure(PERRIN_INVALID_DATA, where() + ": " + what);
  }

  // The block at at_; false at the end of what can be read.
  bool step() {
    TarBlock block{};
    const uint64_t left = std::min(file_.size() - at_, tar_block);
    const bool whole = file_.read(at_, left, block.data()) == tar_block;
    if (is_zero(block) && (whole || ended_)) {
      if (extended_) damaged("an extended header that no member follows");
      ended_ = true;
      at_ += tar_block;
      return true;
    }
    if (ended_ && !(whole && has_sum(block)))
      return tally_.add("passed over: bytes behind an archive's end that are no archive", where()), false;
    if (!whole) damaged("the archive is cut");
    if (at_ == 0 && block[0] == '\x1f' && block[1] == '\x8b') damaged("compressed: unpack it with gunzip first");
    if (!has_sum(block)) damaged("a header's checksum is wrong: not a tar archive, or a damaged one");
    ended_ = false;
    read(parse_header(block, where()));
    return true;
  }

  void read(TarHeader header) {
    switch (header.type) {
      case 'L':
      case 'K':
        return extend((header.type == 'L' ? long_name_ : long_link_).emplace(extension(header)));
      case 'x':
      case 'X':
      case 'g':
        return parse_pax(extension(header), where(), header.type == 'g' ? global_ : local_), advance(header.size, true);
      default:
        return member(header);
    }
  }
  // GNU's name, which a NUL ends.
  void extend(std::string& name) {
    advance(name.size(), true);
    name.resize(name.find('\0') == std::string::npos ? name.size() : name.find('\0'));
  }

  std::string extension(const TarHeader& header) const {
    if (header.size > max_extension) damaged("an extended header of " + std::to_string(header.size) + " bytes");
    std::string text(header.size, '\0');
    if (file_.read(at_ + tar_block, text.size(), text.data()) < text.size()) damaged("the archive is cut");
    return text;
  }

  // Behind a header and its contents.
  void advance(uint64_t size, bool extended) {
    const uint64_t left = file_.size() - at_ - tar_block;
    if (size > left) damaged("the archive is cut");
    at_ += tar_block + std::min((size + tar_block - 1) / tar_block * tar_block, left);
    extended_ = extended;
  }

  void member(TarHeader& header) {
    // A record of the member's own stands before the archive's, also an empty one, which takes a key back.
    const auto given = [&](const char* key) -> const std::string* {
      auto found = local_.find(key);
      if (found == local_.end() && (found = global_.find(key)) == global_.end()) return nullptr;
      return found->second.empty() ? nullptr : &found->second;
    };
    if (long_name_) header.name = *long_name_;
    if (long_link_) header.link = *long_link_;
    if (const std::string* path = given("path")) header.name = *path;
    if (const std::string* path = given("GNU.sparse.name")) header.name = *path;
    if (const std::string* path = given("linkpath")) header.link = *path;
    if (const std::string* size = given("size")) header.size = pax_size(*size, where());
    const bool sparse = header.type == 'S' || given("GNU.sparse.major") || given("GNU.sparse.size");
    add(header, sparse);
    local_.clear();
    long_name_.reset();
    long_link_.reset();
  }

  void add(const TarHeader& header, bool sparse) {
    const bool link = header.type == '1' || header.type == '2';
    // As tarfile: what has no contents has none, whatever its size says.
    const uint64_t size = link || (header.type >= '3' && header.type <= '6') ? 0 : header.size;
    uint64_t map = 0;
    for (bool more = header.extended && header.type == 'S'; more; map += tar_block) {
      char last = 0;
      if (file_.read(at_ + tar_block + map + 504, 1, &last) < 1) damaged("the archive is cut");
      more = last != 0;
    }
    Entry entry{{archived(header.name), at_ + tar_block + map, size, sparse}, link ? header.type : '\0', header.link};
    const uint64_t left = file_.size() - at_ - tar_block;
    if (map > left || size > left - map) damaged("the archive is cut within " + printable(header.name));
    advance(map + size, false);
    if (link || header.type == '0' || header.type == 'S')
      entries_.push_back(std::move(entry));
    else if (header.type != '5' && header.type != 'V')
      tally_.add(reason::special, header.name);
  }

  // tidy(), but backslashes are letters, and a folder above the archive's is none.
  static std::string archived(const std::string& name) {
    return std::filesystem::path(name).lexically_normal().generic_string();
  }

  // What a link leads to, itself for a file, null for nothing. As tarfile: a hard link names a member before it, a
  // symbolic link any, from its own folder on; of several the last.
  const Entry* resolved(size_t i) {
    if (named_.empty())
      for (size_t e = 0; e < entries_.size(); ++e) named_[entries_[e].member.name].push_back(e);
    for (int hops = 0; hops < 40; ++hops) {
      const Entry& entry = entries_[i];
      if (!entry.link) return &entry;
      const std::filesystem::path folder = std::filesystem::path(entry.member.name).parent_path();
      const auto found = named_.find(archived(entry.link == '1' ? entry.target : (folder / entry.target).string()));
      if (found == named_.end()) return nullptr;
      const std::vector<size_t>& all = found->second;
      const auto end = entry.link == '1' ? std::lower_bound(all.begin(), all.end(), i) : all.end();
      if (end == all.begin()) return nullptr;
      i = *std::prev(end);
    }
    return nullptr;
  }

  const RegularFile& file_;
  Tally& tally_;
  uint64_t at_ = 0;
  bool ended_ = false, extended_ = false;  // behind an end mark; behind an extended header
  std::optional<std::string> long_name_, long_link_;
  Records local_, global_;
  std::vector<Entry> entries_;
  std::map<std::string, std::vector<size_t>> named_;
};

}  // namespace

std::vector<TarMember> list_tar(const RegularFile& file, Tally& tally) { return Lister(file, tally).members(); }

std::string read_member(const RegularFile& file, const TarMember& member, uint64_t limit) {
  const std::string name = file.path() + ":" + printable(member.name);
  if (member.sparse) throw Failure(PERRIN_INVALID_DATA, name + ": sparse; make the archive without --sparse");
  if (member.size > limit)
    throw Failure(PERRIN_INVALID_DATA, name + ": " + std::to_string(member.size) + " bytes, more than the " +
                                           std::to_string(limit) + " that such a member may have");
  std::string bytes(member.size, '\0');
  if (file.read(member.offset, bytes.size(), bytes.data()) < bytes.size())
    throw Failure(PERRIN_INVALID_DATA, name + ": the archive is cut");
  return bytes;
}

}  // namespace perrin::datasets
