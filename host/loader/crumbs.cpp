#include "host/loader/crumbs.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <set>
#include <string_view>

namespace perrin::loader {

namespace {

constexpr uint32_t kMagic = 0x70637231;  // "1rcp"
constexpr size_t kPage = 4096;
constexpr size_t kSize = (sizeof(Crumbs) + kPage - 1) / kPage * kPage;
constexpr const char* kVariable = "PERRIN_CRUMBS";

// The file that `perrin` passed on, for this process alone: its children get neither it nor its name.
int given_file() {
  const char* given = std::getenv(kVariable);
  if (given == nullptr) return -1;
  const int file = std::atoi(given);
  struct stat info;
  ::unsetenv(kVariable);
  if (file < 3 || ::fstat(file, &info) != 0 || info.st_size != static_cast<off_t>(kSize)) return -1;
  ::fcntl(file, F_SETFD, FD_CLOEXEC);
  return file;
}

Crumbs* make() {
  void* range = ::mmap(nullptr, kSize + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) std::abort();
  char* middle = static_cast<char*>(range) + kPage;
  const int file = given_file();
  const int flags = MAP_FIXED | (file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
  if (::mmap(middle, kSize, PROT_READ | PROT_WRITE, flags, file, 0) == MAP_FAILED) std::abort();
  if (file >= 0) ::close(file);
  auto* made = new (middle) Crumbs;  // the pages are zeros
  made->text_at = made->text;
  made->magic = kMagic;
  return made;
}

// One byte that a fork clears in the child.
const volatile char* parent_mark() {
  static const volatile char* mark = [] {
    void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) std::abort();
    *static_cast<char*>(page) = 1;
    ::madvise(page, kPage, MADV_WIPEONFORK);
    return static_cast<const volatile char*>(page);
  }();
  return mark;
}
const volatile char* const mark_at_start = parent_mark();

// A text of `from`, whose process may have had it at another place; empty for what lies elsewhere.
std::string_view text_of(const Crumbs& from, const char* at) {
  const auto offset = reinterpret_cast<uintptr_t>(at) - reinterpret_cast<uintptr_t>(from.text_at.load());
  if (at == nullptr || offset >= kCrumbText) return {};
  const char* text = from.text + offset;
  return {text, ::strnlen(text, kCrumbText - offset)};
}

}  // namespace

Crumbs& crumbs() noexcept {
  static Crumbs* const one = make();
  return *one;
}

const char* keep_text(const char* text) {
  static std::mutex mutex;
  static auto* kept = new std::set<std::string_view>;
  std::lock_guard lock(mutex);
  if (const auto found = kept->find(text); found != kept->end()) return found->data();
  Crumbs& all = crumbs();
  const size_t size = std::strlen(text) + 1, at = all.text_used;
  if (at + size > kCrumbText) return kept->insert(*new std::string(text)).first->data();  // then without the pages
  std::memcpy(all.text + at, text, size);
  all.text_used = static_cast<uint32_t>(at + size);
  return kept->insert({all.text + at, size - 1}).first->data();
}

int make_crumbs_file() {
  const int file = ::memfd_create("crumbs", MFD_CLOEXEC);
  if (file < 0 || ::ftruncate(file, kSize) == 0) return file;
  ::close(file);
  return -1;
}

const Crumbs* map_crumbs(int file) {
  void* pages = file < 0 ? MAP_FAILED : ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, file, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<const Crumbs*>(pages);
}

std::string latest_call(const Crumbs& from) {
  const uint32_t n = std::min<uint32_t>(from.n, kCrumbs);
  if (from.magic != kMagic || n == 0) return {};
  const Crumb* chosen = &from.of[0];  // the main thread's, unless another one is in a plugin and it is not
  for (uint32_t i = 0; i < n && chosen->inside == 0; ++i)
    if (from.of[i].inside != 0) chosen = &from.of[i];
  const std::string_view library = text_of(from, chosen->library), call = text_of(from, chosen->call),
                         component = text_of(from, chosen->component);
  if (library.empty()) return {};
  std::string text = "plugin " + std::string(library.substr(library.rfind('/') + 1));
  if (!call.empty()) text += ", in " + std::string(call);
  if (!component.empty()) text += " of component " + std::string(component);
  return text;
}

void mark_end(int code) noexcept { crumbs().ended = 256 + (static_cast<uint32_t>(code) & 255); }

bool in_forked_child() noexcept { return *mark_at_start == 0; }

void end_forked_child() noexcept {
  if (*mark_at_start != 0) [[likely]]
    return;
  const char text[] = "a process that a plugin forked came back into Perrin; it ends here, and the run goes on\n";
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(1);
}

}  // namespace perrin::loader
