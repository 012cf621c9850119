#include "host/loader/file_sums.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <thread>
#include <unordered_map>

#include "host/base/digest.hpp"
#include "host/base/error.hpp"
#include "host/loader/file.hpp"
#include "host/loader/private_folder.hpp"
#include "host/loader/search.hpp"

namespace perrin::loader {
namespace {

namespace fs = std::filesystem;

struct Known {
  FileIdentity identity;
  std::string sha256;
};
using Table = std::unordered_map<std::string, Known>;  // by path

constexpr std::string_view kFormat = "perrin.sums/1\n";

// A line: device, inode, size, two times, hash, path.
Table read_table(const fs::path& file) {
  Table table;
  const auto text = read_private(file);
  if (!text || !text->starts_with(kFormat)) return table;
  for (size_t at = kFormat.size(), end = 0; at < text->size(); at = end + 1) {
    end = std::min(text->find('\n', at), text->size());
    const char *next = text->data() + at, *const stop = text->data() + end;
    Known known;
    FileIdentity& i = known.identity;
    const auto number = [&](auto& value) {
      const auto [p, fault] = std::from_chars(next, stop, value);
      next = fault == std::errc() && p < stop ? p + 1 : stop;
    };
    number(i.device), number(i.inode), number(i.size), number(i.modified_ns), number(i.changed_ns);
    if (stop - next < 66) continue;
    known.sha256.assign(next, 64);
    table.emplace(std::string(next + 65, stop), std::move(known));
  }
  return table;
}

// A file as it was before it was hashed.
struct Seen {
  FileIdentity identity;
  bool settled = false;
};

void write_table(const fs::path& file, const std::vector<fs::path>& files, const std::vector<Seen>& seen,
                 const std::vector<FileSum>& sums) {
  std::string text(kFormat);
  for (size_t f = 0; f < files.size(); ++f) {
    const FileIdentity& i = seen[f].identity;
    if (!seen[f].settled || files[f].native().find('\n') != std::string::npos) continue;
    for (const auto number : {i.device, i.inode, i.size, uint64_t(i.modified_ns), uint64_t(i.changed_ns)})
      text += std::to_string(static_cast<int64_t>(number)) + " ";
    text += sums[f].sha256 + " " + files[f].string() + "\n";
  }
  write_private(file, text);
}

// O_NONBLOCK: a named pipe must not hold anybody up.
int open_data(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info {};
  if (descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode)) return descriptor;
  const std::string reason = descriptor < 0 ? std::strerror(errno) : "it is no regular file";
  if (descriptor >= 0) ::close(descriptor);
  throw Error("cannot read the data: " + reason, file.string(), "check the path and its permissions");
}

std::string hash_of(const fs::path& file, std::atomic<uint64_t>& done, const std::atomic<bool>& stop) {
  const int descriptor = open_data(file);
  Digest hash;
  std::string buffer(1 << 20, '\0');
  ssize_t n = 0;
  while (!stop && ((n = ::read(descriptor, buffer.data(), buffer.size())) > 0 || (n < 0 && errno == EINTR))) {
    if (n < 0) continue;
    hash.add({buffer.data(), static_cast<size_t>(n)});
    done += static_cast<uint64_t>(n);
  }
  const int failed = n < 0 ? errno : 0;
  ::close(descriptor);
  if (failed)
    throw Error(std::string("cannot read the data: ") + std::strerror(failed), file.string(), "check the disk");
  return hex_of(hash.bytes());
}

// Hashes files[unknown[...]] into sums on all cores; this thread reports. The first exception is thrown again.
void hash_all(const std::vector<fs::path>& files, const std::vector<size_t>& unknown, uint64_t total,
              std::vector<FileSum>& sums, const std::function<void(uint64_t, uint64_t)>& progress) {
  std::atomic<size_t> next{0}, ended{0};
  std::atomic<uint64_t> done{0};
  std::atomic<bool> stop{false};
  std::exception_ptr fault;
  const auto work = [&] {
    for (size_t i; !stop && (i = next++) < unknown.size();) try {
        sums[unknown[i]].sha256 = hash_of(files[unknown[i]], done, stop);
      } catch (...) {
        if (!stop.exchange(true)) fault = std::current_exception();
      }
    ++ended;
  };
  const size_t n = std::min<size_t>(unknown.size(), std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < n; ++i) threads.emplace_back(work);
  try {
    while (ended < n) {
      std::this_thread::sleep_for(std::chrono::milliseconds(done == 0 ? 1 : 20));
      if (progress) progress(done, total);
    }
  } catch (...) {
    if (!stop.exchange(true)) fault = std::current_exception();
  }
  for (std::thread& thread : threads) thread.join();
  if (fault) std::rethrow_exception(fault);
}

}  // namespace

std::vector<FileSum> file_sums(const std::string& set, const std::vector<fs::path>& files,
                               const std::function<void(uint64_t, uint64_t)>& progress) {
  const fs::path folder = cache_folder("sums");
  const fs::path file = folder / (sha256_hex(set) + ".txt");
  const Table known = folder.empty() ? Table() : read_table(file);
  std::vector<FileSum> sums(files.size());
  std::vector<Seen> seen(files.size());
  std::vector<size_t> unknown;
  uint64_t total = 0;
  for (size_t f = 0; f < files.size(); ++f) {
    const FileIdentity i = identity_of(files[f]);
    seen[f] = {i, settled(i)};
    sums[f].size = i.size;
    const auto found = known.find(files[f].string());
    if (found != known.end() && found->second.identity == i)
      sums[f].sha256 = found->second.sha256;
    else
      unknown.push_back(f), total += i.size;
  }
  if (unknown.empty()) return sums;
  hash_all(files, unknown, total, sums, progress);
  for (const size_t f : unknown)
    if (!(identity_of(files[f]) == seen[f].identity))
      throw Error("the data change while they are read", files[f].string(), "start when they are complete");
  if (!folder.empty()) write_table(file, files, seen, sums);
  return sums;
}

}  // namespace perrin::loader
