#include "host/store/safetensors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "host/store/atomic_file.hpp"
#include "host/store/safetensors_format.hpp"

namespace perrin::store {
namespace {

struct Type {
  std::string_view name;
  size_t bytes;
};
constexpr std::array<Type, 15> kTypes = {{{"BOOL", 1},
                                          {"U8", 1},
                                          {"I8", 1},
                                          {"F8_E5M2", 1},
                                          {"F8_E4M3", 1},
                                          {"U16", 2},
                                          {"I16", 2},
                                          {"F16", 2},
                                          {"BF16", 2},
                                          {"U32", 4},
                                          {"I32", 4},
                                          {"F32", 4},
                                          {"U64", 8},
                                          {"I64", 8},
                                          {"F64", 8}}};
constexpr std::align_val_t kFileAlignment{64};

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw Error("the checkpoint " + path.string() + " is cut or damaged: " + reason, path.string(),
              "use an older checkpoint of the same folder");
}

// The whole file into `bytes`, read(2) by read(2).
void read_all(int descriptor, std::span<std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::read(descriptor, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw file_error("read", path, errno);
    if (n == 0) refuse(path, "it became shorter while it was read");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

struct Parts {
  std::string_view header;
  std::span<const std::byte> data;
};

Parts split(std::span<const std::byte> file, const std::filesystem::path& path) {
  uint64_t length = 0;
  if (file.size() < sizeof length) refuse(path, "it has " + std::to_string(file.size()) + " bytes");
  std::memcpy(&length, file.data(), sizeof length);
  if (length > safetensors::kMaxHeader || length > file.size() - sizeof length)
    refuse(path, "its header would have " + std::to_string(length) + " of " + std::to_string(file.size()) + " bytes");
  return {{reinterpret_cast<const char*>(file.data()) + sizeof length, static_cast<size_t>(length)},
          file.subspan(sizeof length + static_cast<size_t>(length))};
}

void check_crc(std::span<const std::byte> file, std::string_view header, Checksum checksum,
               const std::filesystem::path& path) {
  const size_t at = safetensors::find_checksum(header);
  if (at == std::string_view::npos) {
    if (checksum == Checksum::required) refuse(path, "it has no checksum");
    return;
  }
  const size_t digits = 8 + at;
  uint32_t crc = safetensors::crc(0, file.first(digits));
  crc = safetensors::crc(crc, std::as_bytes(std::span(safetensors::kNoChecksum, 8)));
  crc = safetensors::crc(crc, file.subspan(digits + 8));
  if (safetensors::hex(crc) != header.substr(at, 8))
    refuse(path, "checksum " + safetensors::hex(crc) + ", expected " + std::string(header.substr(at, 8)));
}

// One entry of the header; the data offsets must fit the shape. Throws nlohmann's exceptions for missing parts.
TensorView parse_tensor(const std::string& name, const nlohmann::json& entry, std::span<const std::byte> data) {
  const auto dtype = dtype_of(entry.at("dtype").get<std::string>());
  if (!dtype) throw std::runtime_error("tensor \"" + name + "\" has the unknown type " + entry.at("dtype").dump());
  const auto offsets = entry.at("data_offsets").get<std::array<uint64_t, 2>>();
  if (offsets[0] > offsets[1] || offsets[1] > data.size())
    throw std::runtime_error("tensor \"" + name + "\" lies outside the file");
  size_t bytes = dtype_bytes(*dtype);
  for (const auto& n : entry.at("shape"))
    if (__builtin_mul_overflow(bytes, n.get<uint64_t>(), &bytes))
      throw std::runtime_error("tensor \"" + name + "\" is too large");
  if (bytes != offsets[1] - offsets[0]) throw std::runtime_error("tensor \"" + name + "\" does not fit its shape");
  return {name, *dtype, entry.at("shape").get<std::vector<int64_t>>(), data.subspan(offsets[0], bytes)};
}

// The tensors must cover the data without gap or overlap.
void check_cover(const std::map<std::string, TensorView, std::less<>>& tensors, std::span<const std::byte> data) {
  std::vector<std::pair<size_t, size_t>> ranges;
  for (const auto& [name, tensor] : tensors) {
    const auto begin = static_cast<size_t>(tensor.bytes.data() - data.data());
    ranges.emplace_back(begin, begin + tensor.bytes.size());
  }
  std::sort(ranges.begin(), ranges.end());
  size_t at = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != at) throw std::runtime_error("its tensors overlap or leave a gap at byte " + std::to_string(at));
    at = end;
  }
  if (at != data.size()) throw std::runtime_error(std::to_string(data.size() - at) + " bytes belong to no tensor");
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return kTypes.at(static_cast<size_t>(dtype)).name; }
size_t dtype_bytes(Dtype dtype) { return kTypes.at(static_cast<size_t>(dtype)).bytes; }

std::optional<Dtype> dtype_of(std::string_view name) {
  for (size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<Dtype>(i);
  return std::nullopt;
}

void SafeTensors::Free::operator()(std::byte* bytes) const { ::operator delete[](bytes, kFileAlignment); }

SafeTensors SafeTensors::open(const std::filesystem::path& path, Checksum checksum) {
  SafeTensors result;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw file_error("read", path, errno);
  const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor, [](const int* d) { ::close(*d); });
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw file_error("read", path, errno);
  if (!S_ISREG(status.st_mode)) throw Error(path.string() + " is not a file", path.string());
  const auto size = static_cast<size_t>(status.st_size);
  result.file_.reset(new (kFileAlignment, std::nothrow) std::byte[size]);
  if (!result.file_) refuse(path, std::to_string(size) + " bytes do not fit into memory");
  read_all(descriptor, {result.file_.get(), size}, path);
  const std::span<const std::byte> file(result.file_.get(), size);
  const Parts parts = split(file, path);
  check_crc(file, parts.header, checksum, path);
  try {
    const auto header = nlohmann::json::parse(parts.header);
    if (!header.is_object()) refuse(path, "its header is not an object");
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        result.metadata_ = entry.get<Metadata>();
      else
        result.tensors_.emplace(name, parse_tensor(name, entry, parts.data));
    }
    check_cover(result.tensors_, parts.data);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse(path, error.what());
  }
  result.metadata_.erase(safetensors::kChecksumKey);
  return result;
}

const TensorView* SafeTensors::find(std::string_view name) const {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? nullptr : &at->second;
}

std::vector<std::string> SafeTensors::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

}  // namespace perrin::store
