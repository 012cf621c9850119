#include "host/loader/elf.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "host/base/error.hpp"
#include "host/loader/file.hpp"

namespace perrin::loader {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half this_machine = EM_AARCH64;
#else
#error "name this architecture's ELF machine"
#endif
constexpr unsigned char this_order = ELFDATA2LSB;
constexpr unsigned most_segments = 128;  // linkers write about ten; a damaged count must not cost minutes

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "x86 (32 bit)";
    case EM_ARM:
      return "arm (32 bit)";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine " + std::to_string(machine);
  }
}

// All reads go through here: every offset comes from the file and may be anything.
class Image {
 public:
  Image(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  template <class T>
  T at(uint64_t offset) const {
    T value;
    std::memcpy(&value, range(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::span<const std::byte> range(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      fail("the file is cut off or damaged: it ends at byte " + std::to_string(bytes_.size()) +
           ", its headers point to byte " + std::to_string(offset) + " + " + std::to_string(size));
    return bytes_.subspan(offset, size);
  }

  // A terminated string inside [begin, begin + size).
  std::string text(uint64_t begin, uint64_t size, uint64_t index) const {
    auto table = range(begin, size);
    if (index >= size) fail("damaged: a name lies outside the string table");
    auto* first = reinterpret_cast<const char*>(table.data()) + index;
    auto* end = static_cast<const char*>(std::memchr(first, 0, size - index));
    if (end == nullptr) fail("damaged: a name has no end");
    copied_ += static_cast<uint64_t>(end - first) + 1;
    if (copied_ > bytes_.size()) fail("damaged: its names lie in one another");
    return std::string(first, end);
  }

  uint64_t size() const { return bytes_.size(); }

  [[noreturn]] void fail(const std::string& what, const std::string& fix = "build or copy the plugin again") const {
    throw Error(what, name_, fix);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
  mutable uint64_t copied_ = 0;  // bytes of names; linkers let them share their ends alone
};

Elf64_Ehdr read_header(const Image& image) {
  if (image.size() < SELFMAG || std::memcmp(image.range(0, SELFMAG).data(), ELFMAG, SELFMAG) != 0)
    image.fail("not an ELF shared library (it does not start with \\x7fELF)");
  if (image.size() < EI_NIDENT) image.fail("the file is cut off within the ELF header");
  auto ident = [&](int i) { return image.at<unsigned char>(i); };
  std::string rebuild = "build the plugin for " + machine_name(this_machine);
  if (ident(EI_CLASS) != ELFCLASS64) image.fail("a 32-bit library; this host is 64-bit", rebuild);
  if (ident(EI_DATA) != this_order) image.fail("a big-endian library; this host is little-endian", rebuild);
  auto header = image.at<Elf64_Ehdr>(0);
  if (header.e_machine != this_machine)
    image.fail("built for " + machine_name(header.e_machine) + "; this host is " + machine_name(this_machine), rebuild);
  return header;
}

std::vector<Elf64_Phdr> read_segments(const Image& image, const Elf64_Ehdr& header) {
  if (header.e_phnum != 0 && header.e_phentsize != sizeof(Elf64_Phdr))
    image.fail("damaged: program headers of another size");
  if (header.e_phnum > most_segments) image.fail("damaged: " + std::to_string(header.e_phnum) + " program headers");
  std::vector<Elf64_Phdr> segments;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    if (header.e_phoff > image.size()) image.fail("the file is cut off before its program headers");
    segments.push_back(image.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr)));
  }
  return segments;
}

// Calls visit(name, type, payload offset, payload size) for each note of a PT_NOTE segment.
template <class Visit>
void for_each_note(const Image& image, const Elf64_Phdr& segment, Visit visit) {
  image.range(segment.p_offset, segment.p_filesz);
  // Descriptors and notes start at multiples of the alignment: with 8, a 12 byte header and "GNU" need no padding.
  const uint64_t align = segment.p_align == 8 ? 8 : 4;
  auto padded = [&](uint64_t n) { return (n + align - 1) / align * align; };
  uint64_t at = segment.p_offset, end = segment.p_offset + segment.p_filesz;
  while (end - at >= sizeof(Elf64_Nhdr)) {
    auto note = image.at<Elf64_Nhdr>(at);
    const uint64_t name = at + sizeof(note), payload = at + padded(sizeof(note) + note.n_namesz);
    const uint64_t next = at + padded(payload - at + note.n_descsz);
    if (payload + note.n_descsz > end) image.fail("damaged: a note runs over its segment");
    auto text = image.range(name, note.n_namesz);
    visit(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()), note.n_type, payload,
          note.n_descsz);
    if (next >= end) return;
    at = next;
  }
}

void read_notes(const Image& image, const Elf64_Phdr& segment, Elf& elf) {
  using namespace std::string_view_literals;
  for_each_note(image, segment, [&](std::string_view name, uint32_t type, uint64_t payload, uint64_t size) {
    if (name == "GNU\0"sv && type == NT_GNU_BUILD_ID) {
      for (std::byte b : image.range(payload, size)) {
        constexpr char digit[] = "0123456789abcdef";
        elf.build_id += {digit[std::to_integer<int>(b) >> 4], digit[std::to_integer<int>(b) & 15]};
      }
    } else if (name == "Perrin\0"sv && type == 1) {
      if (elf.note) image.fail("two .note.perrin.abi notes", "link one Perrin entry into one library");
      if (size != sizeof(perrin_note))
        image.fail("its .note.perrin.abi has " + std::to_string(size) + " bytes; ABI major " +
                       std::to_string(PERRIN_ABI_MAJOR) + " has " + std::to_string(sizeof(perrin_note)),
                   "rebuild the plugin with this Perrin's SDK");
      elf.note = image.at<perrin_note>(payload);
    }
  });
}

uint64_t offset_of(const Image& image, const std::vector<Elf64_Phdr>& segments, uint64_t address) {
  for (const auto& s : segments)
    if (s.p_type == PT_LOAD && address >= s.p_vaddr && address - s.p_vaddr < s.p_filesz)
      return s.p_offset + (address - s.p_vaddr);
  image.fail("damaged: an address of its dynamic section lies in no segment");
}

void read_dynamic(const Image& image, const std::vector<Elf64_Phdr>& segments, const Elf64_Phdr& dynamic, Elf& elf) {
  std::vector<uint64_t> needed;
  uint64_t strings = 0, strings_size = 0;
  for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
    if (dynamic.p_offset > image.size()) image.fail("the file is cut off before its dynamic section");
    auto entry = image.at<Elf64_Dyn>(dynamic.p_offset + at);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
    if (entry.d_tag == DT_STRTAB) strings = offset_of(image, segments, entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
    if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE)) image.fail("a program, not a shared library");
  }
  for (uint64_t index : needed) elf.needed.push_back(image.text(strings, strings_size, index));
}

void read_symbols(const Image& image, const Elf64_Ehdr& header, Elf& elf) {
  image.range(header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr));  // at the file's end: is it whole?
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    auto section = image.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= header.e_shnum) image.fail("damaged: symbols without a string table");
    auto strings = image.at<Elf64_Shdr>(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
    image.range(section.sh_offset, section.sh_size);
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
      auto symbol = image.at<Elf64_Sym>(section.sh_offset + at);
      if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
      auto name = image.text(strings.sh_offset, strings.sh_size, symbol.st_name);
      if (symbol.st_shndx == SHN_UNDEF) {
        elf.imports.push_back(std::move(name));
        continue;
      }
      if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE) elf.unique.push_back(name);
      elf.exports.push_back(std::move(name));
    }
    break;  // there is one
  }
  std::sort(elf.exports.begin(), elf.exports.end());
  std::sort(elf.imports.begin(), elf.imports.end());
}

}  // namespace

Elf read_elf(std::span<const std::byte> bytes, const std::string& name) {
  Image image(bytes, name);
  auto header = read_header(image);
  if (header.e_type != ET_DYN) image.fail("an ELF file, but not a shared library", "link it with -shared");
  auto segments = read_segments(image, header);
  Elf elf;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD) image.range(segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_NOTE) read_notes(image, segment, elf);
    if (segment.p_type == PT_DYNAMIC) read_dynamic(image, segments, segment, elf);
  }
  read_symbols(image, header, elf);
  return elf;
}

perrin_note read_note(const Elf& elf, const std::string& name) {
  if (!elf.note)
    throw Error("a shared library, but not a Perrin plugin: it has no .note.perrin.abi", name,
                "remove it from the plugin folder, or build it with PERRIN_ELF_NOTE or perrin_add_plugin()");
  return *elf.note;
}

std::string build_id_of(const std::filesystem::path& file) try {
  std::string name = file.string();
  MappedFile bytes(file);
  Image image(bytes.bytes(), name);
  Elf elf;
  for (const auto& segment : read_segments(image, read_header(image)))
    if (segment.p_type == PT_NOTE) read_notes(image, segment, elf);
  return elf.build_id;
} catch (const Error&) {
  return {};
}

}  // namespace perrin::loader
