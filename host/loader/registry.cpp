#include "host/loader/registry.hpp"

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <exception>
#include <list>

#include "host/base/error.hpp"
#include "host/config/host_tables.hpp"
#include "host/loader/breadcrumb.hpp"
#include "host/loader/compatible.hpp"
#include "host/loader/crash.hpp"
#include "host/loader/elf.hpp"
#include "host/loader/file.hpp"
#include "host/loader/trust.hpp"

namespace perrin::loader {
namespace {

std::string_view view(perrin_text text) { return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size); }

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    auto end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    words.remove_prefix(end + 1);
  }
  return false;
}

constexpr uint32_t kMostComponents = 1000;

// Never freed: see docs/decisions/never-dlclose.md.
struct Kept {
  Library library;
  boost::dll::shared_library handle;
};
Kept& keep() {
  static std::mutex mutex;
  static auto* all = new std::list<Kept>;
  std::lock_guard lock(mutex);
  return all->emplace_back();
}

void open(Kept& kept) {
  Inside mark(kept.library.crumb, nullptr, "its static initialisation");
  try {
    kept.handle.load(kept.library.file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const boost::dll::fs::system_error& fault) {
    throw Error(std::string("cannot be loaded: ") + fault.what(), kept.library.file,
                "install what it needs, or rebuild it against this Perrin's SDK");
  } catch (const std::exception& fault) {  // reaches us only where the dynamic linker lets exceptions through
    throw Error(std::string("threw an exception in its static initialisation: ") + fault.what(), kept.library.file,
                "report it to the plugin's author");
  }
}

const perrin_entry_table* find_entry(boost::dll::shared_library& handle, const std::string& file) {
  if (!handle.has("perrin_entry"))
    throw Error("has the Perrin note but does not export perrin_entry", file,
                "define perrin_entry with PERRIN_EXPORT, or build with perrin_add_plugin()");
  return &handle.get<const perrin_entry_table>("perrin_entry");
}

void check_entry(const perrin_entry_table& entry, const perrin_note& note, const std::string& file) {
  const std::string rebuild = "rebuild the plugin with this Perrin's SDK";
  if (entry.magic != PERRIN_MAGIC) throw Error("its perrin_entry does not start with PERRIN_MAGIC", file, rebuild);
  if (!PERRIN_HAS(&entry, perrin_entry_table, get_factory))
    throw Error("its perrin_entry has " + std::to_string(entry.struct_size) + " bytes; ABI major 1 has at least " +
                    std::to_string(sizeof(perrin_entry_table)),
                file, rebuild);
  if (!equal(entry.note, note))
    throw Error("its perrin_entry and its .note.perrin.abi say different things", file,
                "write both from the same values (PERRIN_NOTE_TIER_A), or build with perrin_add_plugin()");
  if (entry.get_factory == nullptr) throw Error("its perrin_entry has no get_factory", file, rebuild);
}

void call_init(const Library& library, const perrin_host* host) {
  if (library.entry->init == nullptr) return;
  Inside mark(library.crumb, nullptr, "init");
  perrin_status* status = nullptr;
  const std::string report = "report it to the plugin's author";
  try {
    status = library.entry->init(host);
  } catch (const std::exception& fault) {
    throw Error(std::string("its init threw an exception across the ABI: ") + fault.what(), library.file, report);
  } catch (...) {
    throw Error("its init threw an exception across the ABI", library.file, report);
  }
  if (status == nullptr) return;
  std::string message(view(host->status_message(status)));
  host->status_free(status);
  throw Error("its init failed: " + message, library.file, report);
}

// Registering operators twice ends the process inside dlopen, where no catch helps, so it is refused before.
void check_imports(const Elf& elf, const std::string& file) {
  for (const auto& name : elf.imports)
    if (name.starts_with("_ZN5torch7LibraryC") || name.starts_with("_ZN3c1017RegisterOperators"))
      throw Error("registers LibTorch operators (TORCH_LIBRARY), which a plugin may not", file,
                  "call its functions directly, or give gradients through perrin.autograd/1");
}

void check_pin(std::string_view sha256, std::string_view pin, const std::string& file) {
  if (pin.empty() || sha256 == pin) return;
  throw Error("the experiment pins sha256 " + std::string(pin) + ", and " + file + " has " + std::string(sha256), file,
              "put the pinned library there, or change the pin if you trust this one");
}

}  // namespace

std::string kind_id(std::string_view kind) { return "perrin.kind." + std::string(kind) + "/1"; }

const std::vector<std::string>& known_kinds() {
  static const std::vector<std::string> kinds = [] {
    std::vector<std::string> all = {"loss"};  // a stage has several
    for (const config::Role& role : config::roles()) all.emplace_back(role.kind);
    std::sort(all.begin(), all.end());
    return all;
  }();
  return kinds;
}

std::vector<const perrin_component*> Library::components(std::string_view kind) const {
  std::string id = kind_id(kind);
  Inside mark(crumb, nullptr, "get_factory");
  const perrin_factory* factory = entry->get_factory({id.data(), id.size()});
  if (factory == nullptr || !PERRIN_HAS(factory, perrin_factory, components)) return {};
  if (factory->n_components > kMostComponents || factory->components == nullptr)
    throw Error("its get_factory names " + std::to_string(factory->n_components) + " components of " + id +
                    (factory->components == nullptr ? " at NULL" : ""),
                file, "report it to the plugin's author");
  return {factory->components, factory->components + factory->n_components};
}

const perrin_component* Library::find(std::string_view kind, std::string_view id) const {
  for (const perrin_component* component : components(kind))
    if (view(component->id) == id || has_word(view(component->aliases), id)) return component;
  return nullptr;
}

perrin_note check_file(const std::filesystem::path& file, const perrin_fingerprint& host) {
  std::string name = file.string();
  require_trusted(file);
  MappedFile bytes(file);
  auto elf = read_elf(bytes.bytes(), name);
  auto note = read_note(elf, name);
  check_compatible(note, host, name);
  check_imports(elf, name);
  return note;
}

const Library& Registry::load(const std::filesystem::path& given, std::string_view pin) {
  std::error_code missing;
  auto file = std::filesystem::canonical(given, missing);
  if (missing) throw Error("cannot be found: " + missing.message(), given.string(), "check the path");
  std::lock_guard lock(mutex_);
  if (auto found = by_file_.find(file.string()); found != by_file_.end()) {
    check_pin(found->second->sha256, pin, file.string());
    return *found->second;
  }
  const perrin_note note = check_file(file, host_.fingerprint);
  const std::string sha256 = sha256_of(file);
  check_pin(sha256, pin, file.string());
  Kept& kept = keep();
  Library& library = kept.library;
  library = {file.string(), sha256, note, nullptr, keep_text(file.c_str())};
  open(kept);
  note_addresses(library.crumb);
  library.entry = find_entry(kept.handle, library.file);
  check_entry(*library.entry, library.note, library.file);
  const perrin_host* tables = note.tier == PERRIN_TIER_B ? host_.native : host_.portable;
  if (tables == nullptr)
    throw Error("a tier B plugin, and this program has no LibTorch", library.file, "use perrin run");
  call_init(library, tables);
  by_file_[library.file] = &library;
  order_.push_back(&library);
  return library;
}

std::vector<const Library*> Registry::loaded() const {
  std::lock_guard lock(mutex_);
  return order_;
}

}  // namespace perrin::loader
