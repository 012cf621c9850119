#include "host/services/output.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <new>

#include "host/services/call.hpp"

namespace perrin::services {
namespace {

constexpr size_t kBorder = 64;       // bytes of pattern on each side
constexpr size_t kPage = 4096;
constexpr int kPattern = 0xA7;
constexpr uint64_t kUnwritten = 0x7ff8'5065'7272'696eu;  // a NaN that no arithmetic gives

constexpr size_t rounded(size_t n, size_t to) { return (n + to - 1) / to * to; }

// One array's pages: [none][room ... border][none]. The array ends where the border begins, so that the border stays
// from call to call, and so does the one before an array of the same size.
class Room {
 public:
  Room() = default;
  ~Room() { unmap(); }
  Room(const Room&) = delete;

  std::byte* for_bytes(size_t bytes) {
    const size_t padded = rounded(bytes, 16);
    if (padded + 2 * kBorder > size_) map(padded);
    if (padded != last_) std::memset(end_ - padded - kBorder, kPattern, kBorder + padded + kBorder);
    last_ = padded;
    return end_ - padded;
  }
  void forget() { last_ = SIZE_MAX; }

 private:
  void map(size_t padded) {
    unmap();
    size_ = rounded(std::bit_ceil(padded) + 2 * kBorder, kPage);
    whole_ = size_ + 2 * kPage;
    void* pages = ::mmap(nullptr, whole_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    start_ = static_cast<std::byte*>(pages);
    if (::mprotect(start_ + kPage, size_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    end_ = start_ + kPage + size_ - kBorder;
    last_ = SIZE_MAX;
  }
  void unmap() {
    if (start_ != nullptr) ::munmap(start_, whole_);
    start_ = nullptr;
    size_ = 0;
  }

  std::byte *start_ = nullptr, *end_ = nullptr;
  size_t size_ = 0, whole_ = 0, last_ = SIZE_MAX;
};

// A thread's rooms, used as a stack: calls nest.
struct Rooms {
  static constexpr size_t kMost = 256;
  Room rooms[kMost];
  size_t used = 0;
};
Rooms& rooms() {
  static thread_local Rooms all;
  return all;
}

bool intact(const std::byte* at, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (at[i] != std::byte{kPattern}) return false;
  return true;
}

}  // namespace

Output::Output(const Call& call, const char* name, void* to, size_t bytes)
    : call_(call), name_(name), to_(to), bytes_(bytes) {
  Rooms& all = rooms();
  if (all.used == Rooms::kMost) throw std::bad_alloc();
  index_ = all.used;
  room_ = all.rooms[index_].for_bytes(bytes);
  std::memset(room_ + bytes, kPattern, rounded(bytes, 16) - bytes);
  ++all.used;
}

Output::~Output() {
  Rooms& all = rooms();
  --all.used;
  const size_t padded = rounded(bytes_, 16);
  if (!intact(room_ - kBorder, kBorder) || !intact(room_ + padded, kBorder)) all.rooms[index_].forget();
}

void Output::check_borders() const {
  const size_t padded = rounded(bytes_, 16);
  if (!intact(room_ - kBorder, kBorder))
    call_.wrong("wrote before " + std::string(name_) + ", an array of " + std::to_string(bytes_) + " bytes");
  if (!intact(room_ + bytes_, padded - bytes_ + kBorder))
    call_.wrong("wrote behind " + std::string(name_) + ", an array of " + std::to_string(bytes_) + " bytes");
}

void Output::take() const {
  check_borders();
  if (to_ != nullptr && bytes_ > 0) std::memcpy(to_, room_, bytes_);
}

Numbers::Numbers(const Call& call, const char* name, double* to, uint64_t n)
    : Output(call, name, to, n * sizeof(double)), n_(n) {
  for (uint64_t i = 0; i < n; ++i) std::memcpy(room_ + i * sizeof(double), &kUnwritten, sizeof kUnwritten);
}

void Numbers::wrong(uint64_t i, const std::string& must) const {
  char value[32];
  std::snprintf(value, sizeof value, "%.6g", reinterpret_cast<const double*>(room_)[i]);
  call_.wrong("gave " + std::string(name_) + "[" + std::to_string(i) + "] = " + value + ", which " + must);
}

void Numbers::check_written() const {
  check_borders();
  for (uint64_t i = 0; i < n_; ++i) {
    uint64_t bits;
    std::memcpy(&bits, room_ + i * sizeof bits, sizeof bits);
    if (bits == kUnwritten) [[unlikely]]
      call_.wrong("left " + std::string(name_) + "[" + std::to_string(i) + "] unwritten");
  }
}

void Numbers::take_finite(double low, double high) const {
  if (to_ == nullptr) return check_borders();
  check_written();
  const auto* x = reinterpret_cast<const double*>(room_);
  for (uint64_t i = 0; i < n_; ++i) {
    if (!std::isfinite(x[i])) wrong(i, "has to be finite");
    if (x[i] < low || x[i] > high) {
      char range[96];
      std::snprintf(range, sizeof range, low == 0 && high > 1e300 ? "has to be at least 0" : "has to lie in [%.9g, %.9g]",
                    low, high);
      wrong(i, range);
    }
  }
  take();
}

void Numbers::take_any(double low, bool nan) const {
  if (to_ == nullptr) return check_borders();
  check_written();
  const auto* x = reinterpret_cast<const double*>(room_);
  for (uint64_t i = 0; i < n_; ++i) {
    if (std::isnan(x[i]) && !nan) wrong(i, "has to be a number");
    if (x[i] < low) wrong(i, "has to be at least " + std::to_string(low));
  }
  take();
}

}  // namespace perrin::services
