#include "host/loader/compatible.hpp"

#include <algorithm>
#include <cstring>

#include "host/base/error.hpp"

namespace perrin::loader {
namespace {

template <size_t n>
std::string text(const char (&field)[n]) {
  return std::string(field, strnlen(field, n));
}
std::string number(uint32_t value) { return value == 0 ? std::string() : std::to_string(value); }
std::string text(uint32_t value) { return number(value); }

}  // namespace

std::vector<FingerprintField> compare_fields(const perrin_fingerprint& p, const perrin_fingerprint& h) {
  const std::string same_torch = "build the plugin against the host's LibTorch (PERRIN_LIBTORCH)";
  const std::string same_compiler = "build the plugin with the host's compiler and its options";
  return {
      {"torch", text(p.torch), text(h.torch), same_torch},
      {"sdk", text(p.sdk), text(h.sdk), "rebuild the plugin with this Perrin's SDK"},
      {"compiler", text(p.compiler), text(h.compiler), same_compiler},
      {"gxx_abi", text(p.gxx_abi), text(h.gxx_abi), same_compiler},
      {"cxx11_abi", text(p.cxx11_abi), text(h.cxx11_abi), "build with -D_GLIBCXX_USE_CXX11_ABI=" + number(h.cxx11_abi)},
      {"cplusplus", text(p.cplusplus), text(h.cplusplus), "build with -std=c++20"},
      {"cuda_major", text(p.cuda_major), text(h.cuda_major), same_torch},
      {"sizeof_tensor_impl", text(p.sizeof_tensor_impl), text(h.sizeof_tensor_impl), same_torch},
      {"sizeof_module", text(p.sizeof_module), text(h.sizeof_module), same_torch}};
}

void check_version(const perrin_note& note, const std::string& name) {
  if (note.abi_major != PERRIN_ABI_MAJOR)
    throw Error("built for plugin ABI " + std::to_string(note.abi_major) + "; this host has ABI " +
                    std::to_string(PERRIN_ABI_MAJOR),
                name,
                note.abi_major < PERRIN_ABI_MAJOR ? "rebuild the plugin with this Perrin's SDK"
                                                  : "use the Perrin that the plugin was built for");
  if (note.min_minor > PERRIN_ABI_MINOR)
    throw Error(
        "needs a host with plugin ABI " + std::to_string(note.abi_major) + "." + std::to_string(note.min_minor) +
            " or newer; this host has " + std::to_string(PERRIN_ABI_MAJOR) + "." + std::to_string(PERRIN_ABI_MINOR),
        name, "use a newer Perrin, or rebuild the plugin with PERRIN_TARGET_MINOR=" + std::to_string(PERRIN_ABI_MINOR));
  if (note.tier != PERRIN_TIER_A && note.tier != PERRIN_TIER_B)
    throw Error("its note names tier " + std::to_string(note.tier) + "; there are 1 (A) and 2 (B)", name,
                "use PERRIN_NOTE_TIER_A or perrin_add_plugin()");
}

void check_compatible(const perrin_note& note, const perrin_fingerprint& host, const std::string& name) {
  check_version(note, name);
  if (note.tier != PERRIN_TIER_B) return;
  for (const auto& field : compare_fields(note.fingerprint, host))
    if (!field.plugin.empty() && field.plugin != field.host)
      throw Error("fingerprint mismatch in " + field.name + ": plugin has " + field.plugin + ", host has " +
                      (field.host.empty() ? "none" : field.host),
                  name, field.fix);
}

bool equal(const perrin_note& a, const perrin_note& b) {
  auto fields = compare_fields(a.fingerprint, b.fingerprint);
  return a.abi_major == b.abi_major && a.min_minor == b.min_minor && a.tier == b.tier &&
         std::all_of(fields.begin(), fields.end(), [](const auto& field) { return field.plugin == field.host; });
}

std::string tier_name(uint32_t tier) { return tier == PERRIN_TIER_B ? "B" : "A"; }

}  // namespace perrin::loader
