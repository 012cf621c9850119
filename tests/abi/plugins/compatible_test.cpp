// Which notes a host accepts, field by field, and the same on the bytes of a real plugin.
#include "host/loader/compatible.hpp"

#include <cstring>
#include <fstream>
#include <functional>
#include <regex>

#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

namespace fs = std::filesystem;

perrin_note native_note() { return {PERRIN_ABI_MAJOR, 0, PERRIN_TIER_B, 0, services::fingerprint()}; }

std::string verdict(const perrin_note& note) {
  try {
    loader::check_compatible(note, services::fingerprint(), "x.so");
    return "accepted";
  } catch (const Error& error) {
    return error.message();
  }
}

struct Flip {
  const char* field;
  std::function<void(perrin_fingerprint&)> change;
  std::string plugin_value;
  std::string fix;
};

void set(char* field, size_t size, const char* value) {
  std::memset(field, 0, size);
  std::strncpy(field, value, size - 1);
}

const std::string kTorch = "build the plugin against the host's LibTorch (PERRIN_LIBTORCH)";
const std::string kCompiler = "build the plugin with the host's compiler and its options";

std::vector<Flip> flips() {
  return {
      {"torch", [](auto& f) { set(f.torch, sizeof f.torch, "1.0.0"); }, "1.0.0", kTorch},
      {"sdk", [](auto& f) { set(f.sdk, sizeof f.sdk, "0.0.9"); }, "0.0.9", "rebuild the plugin with this Perrin's SDK"},
      {"compiler", [](auto& f) { set(f.compiler, sizeof f.compiler, "Other 3"); }, "Other 3", kCompiler},
      {"gxx_abi", [](auto& f) { f.gxx_abi = 1; }, "1", kCompiler},
      {"cxx11_abi", [](auto& f) { f.cxx11_abi = 7; }, "7", "build with -D_GLIBCXX_USE_CXX11_ABI=1"},
      {"cplusplus", [](auto& f) { f.cplusplus = 201103; }, "201103", "build with -std=c++20"},
      {"cuda_major", [](auto& f) { f.cuda_major = 77; }, "77", kTorch},
      {"sizeof_tensor_impl", [](auto& f) { f.sizeof_tensor_impl = 8; }, "8", kTorch},
      {"sizeof_module", [](auto& f) { f.sizeof_module = 16; }, "16", kTorch}};
}

std::string host_value(const std::string& field) {
  for (const auto& each : loader::compare_fields({}, services::fingerprint()))
    if (each.name == field) return each.host.empty() ? "none" : each.host;
  return "no such field";
}

TEST(Compatible, the_hosts_own_fingerprint_is_accepted_and_complete) {
  EXPECT_EQ(verdict(native_note()), "accepted");
  for (const auto& field : loader::compare_fields({}, services::fingerprint()))
    if (field.name != "cuda_major") EXPECT_FALSE(field.host.empty()) << field.name << " is not known to the host";
}

// LibTorch's CPU half needs the CUDA runtime that its CUDA half was built for, so this process has loaded it.
uint32_t loaded_cuda_major() {
  std::ifstream maps("/proc/self/maps");
  const std::regex name("/libcudart[-0-9a-f]*\\.so\\.([0-9]+)");
  std::smatch found;
  for (std::string line; std::getline(maps, line);)
    if (std::regex_search(line, found, name)) return static_cast<uint32_t>(std::stoul(found[1]));
  return 0;
}

TEST(Compatible, the_cuda_version_is_that_of_the_libtorch_that_is_loaded) {
  EXPECT_EQ(services::fingerprint().cuda_major, loaded_cuda_major());
}

TEST(Compatible, a_plugin_for_a_libtorch_with_cuda_is_refused_by_a_host_for_the_cpu_alone) {
  perrin_fingerprint host = services::fingerprint();
  perrin_note note = native_note();
  host.cuda_major = 0;
  note.fingerprint.cuda_major = 12;
  try {
    loader::check_compatible(note, host, "x.so");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "fingerprint mismatch in cuda_major: plugin has 12, host has none");
  }
}

TEST(Compatible, each_field_that_differs_is_named_with_both_values_and_the_fix) {
  for (const auto& flip : flips()) {
    perrin_note note = native_note();
    flip.change(note.fingerprint);
    EXPECT_EQ(verdict(note), "error: fingerprint mismatch in " + std::string(flip.field) + ": plugin has " +
                                 flip.plugin_value + ", host has " + host_value(flip.field) +
                                 "\n  at:  x.so\n  fix: " + flip.fix + "\n");
    note.tier = PERRIN_TIER_A;
    EXPECT_EQ(verdict(note), "accepted") << "tier A does not depend on " << flip.field;
  }
}

TEST(Compatible, a_field_that_the_plugin_leaves_empty_is_not_compared) {
  perrin_note note = native_note();
  note.fingerprint = {};
  EXPECT_EQ(verdict(note), "accepted");
}

TEST(Compatible, versions) {
  perrin_note note = native_note();
  note.abi_major = 2;
  EXPECT_EQ(verdict(note),
            "error: built for plugin ABI 2; this host has ABI 1\n  at:  x.so\n"
            "  fix: use the Perrin that the plugin was built for\n");
  note.abi_major = 0;
  EXPECT_NE(verdict(note).find("fix: rebuild the plugin with this Perrin's SDK"), std::string::npos);
  note = native_note();
  note.min_minor = PERRIN_ABI_MINOR + 1;
  EXPECT_NE(verdict(note).find("fix: use a newer Perrin, or rebuild the plugin with PERRIN_TARGET_MINOR=0"),
            std::string::npos);
}

// The note in the file is what counts: nothing of a refused library is executed.
TEST(Compatible, a_flipped_byte_in_a_real_plugins_note_is_refused_before_it_is_loaded) {
  std::ifstream in(plugin("abi-native"), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  const perrin_fingerprint own = services::fingerprint();
  const size_t payload = bytes.find(std::string("Perrin\0\0", 8)) + 8;
  ASSERT_LT(payload, bytes.size());
  perrin_note note;
  std::memcpy(&note, bytes.data() + payload, sizeof note);
  ASSERT_STREQ(note.fingerprint.torch, own.torch) << "not at the note";
  EXPECT_EQ(note.fingerprint.cuda_major, own.cuda_major);
  const fs::path file = fs::temp_directory_path() / ("perrin-flip-" + std::to_string(::getpid()) + ".so");
  for (const auto& flip : flips()) {
    perrin_note changed = note;
    flip.change(changed.fingerprint);
    std::string copy = bytes;
    std::memcpy(copy.data() + payload, &changed, sizeof changed);
    std::ofstream(file, std::ios::binary) << copy;
    try {
      registry().load(file);
      ADD_FAILURE() << flip.field << " accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what())
                    .find("mismatch in " + std::string(flip.field) + ": plugin has " + flip.plugin_value),
                std::string::npos)
          << error.what();
    }
  }
  fs::remove(file);
}

}  // namespace
}  // namespace perrin::test
