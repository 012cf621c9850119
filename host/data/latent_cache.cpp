#include "host/data/latent_cache.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "host/base/error.hpp"
#include "host/data/latent_key.hpp"
#include "host/data/samples.hpp"
#include "host/loader/private_folder.hpp"
#include "host/loader/search.hpp"
#include "host/model/first_stage.hpp"
#include "host/services/tensor.hpp"

namespace perrin::data {
namespace {

namespace fs = std::filesystem;
using Note = std::function<void(const std::string&)>;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  operator int() const { return fd_; }

 private:
  int fd_;
};

size_t bytes_of(const store::LatentHeader& header) {
  size_t bytes = sizeof(float);
  for (const int64_t n : header.shape) bytes *= static_cast<size_t>(n);
  return bytes;
}

// The rows of a whole file, mapped. [N, ...]; undefined if they cannot be.
at::Tensor map_rows(int fd, const store::LatentHeader& header) {
  const size_t size = store::kLatentPage + bytes_of(header);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return {};
  return at::from_blob(
      static_cast<char*>(at) + store::kLatentPage, header.shape, [at, size](void*) { ::munmap(at, size); }, at::kFloat);
}

uint64_t checksum(const at::Tensor& rows) {
  return store::xxh64({static_cast<const std::byte*>(rows.const_data_ptr()), rows.nbytes()});
}

// The rows of the file that `wanted` finds; undefined without one, and where it is damaged.
at::Tensor open_rows(const fs::path& file, store::LatentHeader wanted, const Note& note) {
  const Descriptor fd(loader::open_private(file, O_RDONLY));
  if (fd < 0) return {};
  std::string page(store::kLatentPage, '\0');
  struct stat info {};
  const bool whole = ::fstat(fd, &info) == 0 && size_t(info.st_size) == store::kLatentPage + bytes_of(wanted) &&
                     ::pread(fd, page.data(), page.size(), 0) == ssize_t(page.size());
  const auto held = whole ? store::latent_header(page) : std::nullopt;
  if (held) wanted.checksum = held->checksum;
  const at::Tensor rows = held && *held == wanted ? map_rows(fd, wanted) : at::Tensor();
  if (rows.defined() && checksum(rows) == wanted.checksum) return ::futimens(fd, nullptr), rows;
  if (note) note("the cache of latents " + file.string() + " is damaged; it is made again");
  return {};
}

[[noreturn]] void fail(const fs::path& file) {
  throw Error("cannot write the cache of latents: " + std::string(std::strerror(errno)), file.string(),
              "make room there, or set cache = false in [encoder]");
}

void write_at(int fd, const void* bytes, size_t n, size_t at, const fs::path& file) {
  for (size_t done = 0; done < n;) {
    const ssize_t written =
        ::pwrite(fd, static_cast<const char*>(bytes) + done, n - done, static_cast<off_t>(at + done));
    if (written < 0 && errno != EINTR) fail(file);
    if (written > 0) done += static_cast<size_t>(written);
  }
}

// Encodes all samples into the file, whose page is written last, and maps them.
at::Tensor write_rows(model::Model& model, const InputFiles& inputs, int64_t batch_size, int fd,
                      store::LatentHeader header, const fs::path& file) {
  size_t at = store::kLatentPage;
  for_each_samples(model, static_cast<uint64_t>(header.shape[0]), batch_size,
                   [&](const Batch& batch, const perrin_call& call) {
                     const at::Tensor z = encode(model, call, images(model, batch)).cpu().contiguous();
                     write_at(fd, z.const_data_ptr(), z.nbytes(), at, file);
                     at += z.nbytes();
                   });
  const std::string& id = model.dataset.id();
  if (inputs.dataset_known && dataset_inputs(model).of(id) != inputs.of(id))
    throw Error("the data changed while they were encoded", "dataset " + id, "start when they are complete");
  const at::Tensor rows = map_rows(fd, header);
  if (!rows.defined()) fail(file);
  header.checksum = checksum(rows);
  write_at(fd, store::latent_page(header).data(), store::kLatentPage, 0, file);
  return rows;
}

// A new file without a name in `folder`.
Descriptor nameless(const fs::path& folder) {
  std::string name = (folder / ".latents-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) fail(folder);
  ::unlink(name.c_str());
  return Descriptor(fd);
}

// `part`, empty, for this process alone; another that has it is waited for.
Descriptor locked(const fs::path& part, const CacheRequest& request) {
  for (bool told = false;;) {
    Descriptor fd(loader::open_private(part, O_RDWR | O_CREAT));
    if (fd < 0) fail(part);
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) fail(part);
      if (request.stop && request.stop())
        throw Error("stopped while another run encodes the samples", {}, {}, Exit::interrupted);
      if (request.note && !std::exchange(told, true))
        request.note("another run is encoding these samples; waiting for it");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    struct stat here {
    }, named{};
    const bool same = ::fstat(fd, &here) == 0 && ::stat(part.c_str(), &named) == 0 && here.st_ino == named.st_ino;
    if (same && ::ftruncate(fd, 0) == 0) return fd;
  }
}

std::string why_nameless(const InputFiles& inputs) {
  if (!inputs.dataset_known) return "the dataset does not say what it reads (perrin.identity/1)";
  return "there is no cache folder: " + loader::cache_root().problem;
}

}  // namespace

LatentCache::LatentCache(model::Model& model, const InputFiles& inputs, const CacheRequest& request)
    : device_(model.session->device()) {
  const auto note = [&](const std::string& line) {
    if (request.note) request.note(line);
  };
  const store::LatentHeader header = latent_header(model, inputs, request.batch_size);
  const std::string samples = std::to_string(header.shape[0]) + " samples";
  const fs::path folder = inputs.dataset_known ? loader::cache_folder("latents") : fs::path();
  if (folder.empty()) {
    note("encoding " + samples + " for this start alone: " + why_nameless(inputs));
    z_ = write_rows(model, inputs, request.batch_size, nameless(request.own), header, request.own);
    return;
  }
  loader::remove_leftovers(folder);
  file_ = folder / (header.key + ".latents");
  if (z_ = open_rows(file_, header, request.note); z_.defined()) return;
  const fs::path part = folder / (header.key + loader::kPart);
  const Descriptor fd = locked(part, request);
  if (z_ = open_rows(file_, header, {}); z_.defined()) {
    ::unlink(part.c_str());
    return;
  }
  note("encoding " + samples + " once into " + file_.string());
  z_ = write_rows(model, inputs, request.batch_size, fd, header, file_);
  if (::rename(part.c_str(), file_.c_str()) != 0) fail(file_);
}

at::Tensor LatentCache::rows(const std::vector<uint64_t>& indices) const {
  const std::vector<int64_t> wanted(indices.begin(), indices.end());
  return z_.index_select(0, at::tensor(wanted)).to(device_);
}

}  // namespace perrin::data
