#include "host/store/safetensors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "host/store/atomic_file.hpp"
#include "host/store/file_kind.hpp"
#include "host/store/safetensors_format.hpp"
#include "perrin/cpp/json.hpp"

namespace perrin::store {
namespace {

struct Type {
  std::string_view name;
  size_t bits;
};
constexpr std::array<Type, 22> kTypes = {
    {{"BOOL", 8},        {"U8", 8},      {"I8", 8},      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"U16", 16},
     {"I16", 16},        {"F16", 16},    {"BF16", 16},   {"U32", 32},    {"I32", 32},    {"F32", 32},
     {"U64", 64},        {"I64", 64},    {"F64", 64},    {"C64", 64},    {"F8_E8M0", 8}, {"F8_E5M2FNUZ", 8},
     {"F8_E4M3FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4}}};
constexpr std::align_val_t kFileAlignment{64};
constexpr size_t kBegin = 1024;  // bytes that say what a file is

// What is read, and whether it must be of our own writing.
struct Place {
  const std::filesystem::path& path;
  Checksum checksum;
};

[[noreturn]] void refuse(const Place& place, const std::string& reason) {
  const std::string path = place.path.string();
  if (place.checksum == Checksum::required)
    throw Error("the checkpoint " + path + " is cut or damaged: " + reason, path,
                "use an older checkpoint of the same folder");
  throw Error("the safetensors file " + path + " is cut or damaged: " + reason, path,
              "download it, or write it, again");
}

// The file has no header of the format: most often it is of another kind.
[[noreturn]] void refuse_kind(const Place& place, std::span<const std::byte> file, const std::string& reason) {
  const FileKind kind = kind_of(file, place.path.string());
  if (kind.what.empty()) refuse(place, reason);
  throw Error(place.path.string() + " is no safetensors file: it is " + kind.what, place.path.string(), kind.fix);
}

// The whole file into `bytes`, read(2) by read(2).
void read_all(int descriptor, std::span<std::byte> bytes, const Place& place) {
  while (!bytes.empty()) {
    const ssize_t n = ::read(descriptor, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw file_error("read", place.path, errno);
    if (n == 0) refuse(place, "it became shorter while it was read");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

struct Parts {
  std::string_view header;
  std::span<const std::byte> data;
};

// Bytes of the header of a file of `size` bytes that begins with these.
uint64_t header_length(std::span<const std::byte> begin, size_t size, const Place& place) {
  uint64_t length = 0;
  if (size < sizeof length) refuse(place, "it has " + std::to_string(size) + " bytes");
  std::memcpy(&length, begin.data(), sizeof length);
  if (length > safetensors::kMaxHeader || length > size - sizeof length)
    refuse_kind(place, begin,
                "its header would have " + std::to_string(length) + " of " + std::to_string(size) + " bytes");
  return length;
}

Parts split(std::span<const std::byte> file, uint64_t length) {
  return {{reinterpret_cast<const char*>(file.data()) + sizeof length, static_cast<size_t>(length)},
          file.subspan(sizeof length + static_cast<size_t>(length))};
}

void check_crc(std::span<const std::byte> file, std::string_view header, const Place& place) {
  const size_t at = safetensors::find_checksum(header);
  if (at == std::string_view::npos) {
    if (place.checksum == Checksum::required) refuse(place, "it has no checksum");
    return;
  }
  const size_t digits = 8 + at;
  uint32_t crc = safetensors::crc(0, file.first(digits));
  crc = safetensors::crc(crc, std::as_bytes(std::span(safetensors::kNoChecksum, 8)));
  crc = safetensors::crc(crc, file.subspan(digits + 8));
  if (safetensors::hex(crc) != header.substr(at, 8))
    refuse(place, "checksum " + safetensors::hex(crc) + ", expected " + std::string(header.substr(at, 8)));
}

// The format has texts alone in its metadata, and so has every reader of it.
Metadata texts(const nlohmann::json& metadata) {
  for (const auto& [key, value] : metadata.items())
    if (!value.is_string())
      throw std::runtime_error("its metadata has \"" + key + "\" = " + value.dump().substr(0, 64) +
                               ", and the format allows texts alone");
  return metadata.get<Metadata>();
}

// nlohmann would make numbers of negative ones and of fractions.
uint64_t whole_number(const nlohmann::json& number, const std::string& tensor) {
  if (!number.is_number_unsigned() || number.get<uint64_t>() > INT64_MAX)
    throw std::runtime_error("tensor \"" + tensor + "\" has " + number.dump().substr(0, 64) + " for a size or place");
  return number.get<uint64_t>();
}

// One entry of the header; the data offsets must fit the shape. Throws nlohmann's exceptions for missing parts.
TensorView parse_tensor(const std::string& name, const nlohmann::json& entry, std::span<const std::byte> data) {
  const auto dtype = dtype_of(entry.at("dtype").get<std::string>());
  if (!dtype) throw std::runtime_error("tensor \"" + name + "\" has the unknown type " + entry.at("dtype").dump());
  const uint64_t begin = whole_number(entry.at("data_offsets").at(0), name),
                 end = whole_number(entry.at("data_offsets").at(1), name);
  if (begin > end || end > data.size()) throw std::runtime_error("tensor \"" + name + "\" lies outside the file");
  if (!entry.at("shape").is_array()) throw std::runtime_error("tensor \"" + name + "\" has a shape that is no list");
  TensorView tensor{name, *dtype, {}, data.subspan(begin, end - begin)};
  size_t bits = dtype_bits(*dtype);
  for (const auto& n : entry.at("shape")) {
    tensor.shape.push_back(static_cast<int64_t>(whole_number(n, name)));
    if (__builtin_mul_overflow(bits, tensor.shape.back(), &bits))
      throw std::runtime_error("tensor \"" + name + "\" is too large");
  }
  if (bits % 8 != 0 || bits / 8 != tensor.bytes.size())
    throw std::runtime_error("tensor \"" + name + "\" does not fit its shape");
  return tensor;
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
size_t dtype_bits(Dtype dtype) { return kTypes.at(static_cast<size_t>(dtype)).bits; }

std::optional<Dtype> dtype_of(std::string_view name) {
  for (size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<Dtype>(i);
  return std::nullopt;
}

void SafeTensors::Free::operator()(std::byte* bytes) const { ::operator delete[](bytes, kFileAlignment); }

SafeTensors SafeTensors::open(const std::filesystem::path& path, Checksum checksum) {
  const Place place{path, checksum};
  SafeTensors result;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe is not waited for
  if (descriptor < 0) throw file_error("read", path, errno);
  const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor, [](const int* d) { ::close(*d); });
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw file_error("read", path, errno);
  if (!S_ISREG(status.st_mode)) throw Error(path.string() + " is not a file", path.string());
  const auto size = static_cast<size_t>(status.st_size);
  std::byte* const memory = new (kFileAlignment, std::nothrow) std::byte[size];
  if (!memory) refuse(place, std::to_string(size) + " bytes do not fit into memory");
  result.files_.emplace_back(memory);
  const std::span<std::byte> file(memory, size), begin = file.first(std::min(size, kBegin));
  read_all(descriptor, begin, place);
  const uint64_t length = header_length(begin, size, place);  // what is no safetensors is not read further
  read_all(descriptor, file.subspan(begin.size()), place);
  const Parts parts = split(file, length);
  check_crc(file, parts.header, place);
  try {
    if (nests_too_deep(parts.header)) refuse(place, "its header is nested too deep");
    const auto header = nlohmann::json::parse(parts.header);
    if (!header.is_object()) refuse(place, "its header is not an object");
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        result.metadata_ = texts(entry);
      else
        result.tensors_.emplace(name, parse_tensor(name, entry, parts.data));
    }
    check_cover(result.tensors_, parts.data);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse(place, error.what());
  }
  result.metadata_.erase(safetensors::kChecksumKey);
  return result;
}

void SafeTensors::take(SafeTensors other) {
  std::ranges::move(other.files_, std::back_inserter(files_));
  tensors_.merge(other.tensors_);
  metadata_.merge(other.metadata_);
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
