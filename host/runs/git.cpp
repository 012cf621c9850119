#include "host/runs/git.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "host/base/digest.hpp"
#include "host/runs/git_index.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNamed = 100;
constexpr uint64_t kMost = uint64_t{512} << 20;  // bytes of files that are compared

// f(bytes) for the pieces of a regular file, at most `most` bytes of it. False if it cannot be read whole.
template <class F>
bool read_file(const fs::path& file, uint64_t most, F&& f) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info {};
  bool whole =
      descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && uint64_t(info.st_size) <= most;
  std::string buffer(1 << 16, '\0');
  for (ssize_t n = 1; whole && n != 0;) {
    n = ::read(descriptor, buffer.data(), buffer.size());
    if (n < 0) whole = false;
    if (n > 0) f(std::string_view(buffer.data(), static_cast<size_t>(n)));
  }
  if (descriptor >= 0) ::close(descriptor);
  return whole;
}

std::string text_of(const fs::path& file, uint64_t most = 1 << 16) {
  std::string text;
  if (!read_file(file, most, [&](std::string_view bytes) { text += bytes; })) return "";
  return text;
}

std::string line_of(const fs::path& file) {
  const std::string text = text_of(file);
  return text.substr(0, text.find_first_of("\r\n"));
}

bool is_name(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

struct Repository {
  fs::path tree;    // the work tree's root
  fs::path own;     // .git, or what it points to
  fs::path common;  // of all work trees
};

std::optional<Repository> find_repository(fs::path folder) {
  std::error_code none;
  for (folder = fs::absolute(folder);; folder = folder.parent_path()) {
    const fs::path git = folder / ".git";
    fs::path own = git;
    if (const std::string line = line_of(git); line.starts_with("gitdir: ")) own = folder / line.substr(8);
    if (fs::exists(own / "HEAD", none)) {
      const std::string common = line_of(own / "commondir");
      return Repository{folder, own, common.empty() ? own : own / common};
    }
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

std::string packed(const Repository& r, const std::string& ref) {
  const std::string text = text_of(r.common / "packed-refs", uint64_t{64} << 20);
  const size_t at = text.find(" " + ref + "\n");
  return at == std::string::npos || at < 40 ? "" : text.substr(at - 40, 40);
}

std::string commit_of(const Repository& r) {
  std::string at = line_of(r.own / "HEAD");
  for (int links = 0; links < 5 && at.starts_with("ref: "); ++links) {
    const std::string ref = at.substr(5);
    at = line_of(r.own / ref);
    if (at.empty()) at = line_of(r.common / ref);
    if (at.empty()) at = packed(r, ref);
  }
  return is_name(at) ? at : "";
}

// The blob's name that the file's bytes have. `left` counts down what may still be read. Empty if it cannot be read.
std::string blob_of(const fs::path& file, const struct stat& info, uint64_t& left) {
  Digest hash(Digest::Algorithm::sha1);
  hash.add("blob " + std::to_string(info.st_size) + '\0');
  if (S_ISLNK(info.st_mode)) {
    std::error_code none;
    hash.add(fs::read_symlink(file, none).native());
    return hash.bytes();
  }
  if (!read_file(file, left, [&](std::string_view bytes) { hash.add(bytes); })) return "";
  left -= static_cast<uint64_t>(info.st_size);
  return hash.bytes();
}

// What git's own look at the file proves: nothing if the index is no newer than the file.
bool untouched(const IndexEntry& e, const struct stat& info, const struct timespec& index) {
  const auto& m = info.st_mtim;
  return e.size == uint32_t(info.st_size) && e.seconds == uint32_t(m.tv_sec) && e.inode == uint32_t(info.st_ino) &&
         (e.nanoseconds == 0 || e.nanoseconds == uint32_t(m.tv_nsec)) &&
         (m.tv_sec < index.tv_sec || (m.tv_sec == index.tv_sec && m.tv_nsec < index.tv_nsec));
}

struct Changed {
  std::string names;
  size_t n = 0;
  Digest hash;
  void add(const IndexEntry& e, const std::string& what, const std::string& content) {
    if (n++ < kNamed) names += (n == 1 ? "" : ", ") + e.name + what;
    hash.add(e.name + '\0' + what + '\0' + content);
  }
};

void compare(const Repository& r, const IndexEntry& e, const struct timespec& index, uint64_t& left, Changed& changed) {
  constexpr uint32_t kGitlink = 0160000;
  if (e.unwatched || (e.mode & 0170000) == kGitlink) return;
  const fs::path file = r.tree / e.name;
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0) return changed.add(e, " (gone)", "");
  const bool link = (e.mode & 0170000) == 0120000, executable = (e.mode & 0100) != 0;
  if (link ? !S_ISLNK(info.st_mode) : !S_ISREG(info.st_mode)) return changed.add(e, " (another kind of file)", "");
  const bool turned = !link && executable != ((info.st_mode & 0100) != 0);
  if (!turned && untouched(e, info, index)) return;
  const std::string blob = blob_of(file, info, left);
  if (blob.empty()) return changed.add(e, " (not compared)", "");
  if (turned || blob != e.sha1) changed.add(e, turned ? " (mode)" : "", blob);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> git_facts(const fs::path& folder) try {
  const auto repository = find_repository(folder);
  if (!repository) return {};
  std::vector<std::pair<std::string, std::string>> facts = {{"git_commit", commit_of(*repository)}};
  struct stat index {};
  const fs::path file = repository->own / "index";
  const auto entries = parse_index(text_of(file, uint64_t{256} << 20));
  if (!entries || ::stat(file.c_str(), &index) != 0) return facts;
  facts.emplace_back("git_tree", tree_of(*entries));
  Changed changed;
  uint64_t left = kMost;
  for (const IndexEntry& e : *entries) compare(*repository, e, index.st_mtim, left, changed);
  if (changed.n == 0) return facts;
  if (changed.n > kNamed) changed.names += ", and " + std::to_string(changed.n - kNamed) + " more";
  facts.emplace_back("git_changed", changed.names);
  facts.emplace_back("git_changes_sha256", hex_of(changed.hash.bytes()));
  return facts;
} catch (const std::exception&) {
  return {};
}

}  // namespace perrin::runs
