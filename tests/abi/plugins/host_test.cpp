// What a plugin may ask the host for.
#include <fstream>

#include "host/services/session.hpp"
#include "perrin/host/artifact.h"
#include "perrin/host/log.h"
#include "perrin/host/op.h"
#include "perrin/host/progress.h"
#include "perrin/host/rng.h"
#include "perrin/host/torch.h"
#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

const void* ask(const perrin_host* host, std::string_view id) { return host->get_extension(host, services::text(id)); }

void install(services::Hooks hooks) {
  services::Session::set_of_process(std::make_shared<services::Session>(std::move(hooks)));
}

TEST(Host, offers_every_service_of_the_sdk) {
  for (const char* id : {"perrin.artifact/1", "perrin.autograd/1", "perrin.config/1", "perrin.image/1", "perrin.lincomb/1",
                         "perrin.log/1", "perrin.op/1", "perrin.progress/1", "perrin.rng/1", "perrin.tensor/1"}) {
    for (const auto* host : {services::host(), services::native_host()}) {
      const auto* table = static_cast<const uint32_t*>(ask(host, id));
      ASSERT_NE(table, nullptr) << id;
      EXPECT_GE(*table, 16u) << id << " has no sane struct_size";
    }
  }
}

TEST(Host, an_unknown_service_is_null) {
  for (const char* id :
       {"", "perrin", "perrin.log", "perrin.log/", "perrin.log/2", "perrin.log/1 ", "perrin.log/1x", "PERRIN.LOG/1"})
    EXPECT_EQ(ask(services::host(), id), nullptr) << id;
  EXPECT_EQ(ask(services::host(), std::string_view("perrin.log/1\0", 13)), nullptr);
}

TEST(Host, gives_native_tensors_to_tier_b_alone) {
  EXPECT_EQ(ask(services::host(), PERRIN_HOST_TORCH), nullptr);
  EXPECT_NE(ask(services::native_host(), PERRIN_HOST_TORCH), nullptr);
}

TEST(Host, a_status_keeps_code_and_text_and_check_names_the_plugin) {
  const auto* host = services::host();
  EXPECT_EQ(outcome(host->status_new(PERRIN_IO, "no such file"_t, "read"_t)), "7: no such file");
  host->status_free(nullptr);
  try {
    services::check(host->status_new(PERRIN_INVALID_CONFIG, "a and b exclude each other"_t, "keys a, b"_t),
                    {"/somewhere/x.so", "thing", "validate"});
    FAIL();
  } catch (const services::PluginError& error) {
    EXPECT_EQ(error.code, PERRIN_INVALID_CONFIG);
    EXPECT_EQ(error.exit, Exit::usage);
    EXPECT_EQ(std::string(error.what()), "a and b exclude each other");
    EXPECT_EQ(error.where, "\"thing\" (x.so), in validate: keys a, b");
  }
  install({.cancelled = [] { return true; }});  // else it would be the plugin's fault
  try {
    services::check(host->status_new(PERRIN_CANCELLED, "stopped"_t, ""_t), {"x.so", "thing", "sample"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit, Exit::interrupted);
  }
  install({});
}

TEST(Host, its_own_error_passes_through_a_plugin_unchanged) {
  perrin_status* status = services::as_status([] { throw Error("the disk is full", "run.h5", "free some space"); });
  EXPECT_EQ(services::view(services::host()->status_message(status)), "the disk is full");
  try {
    services::check(status, {"x.so", "thing", "sample"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "error: the disk is full\n  at:  run.h5\n  fix: free some space\n");
  }
}

TEST(Host, log_progress_and_cancel_reach_the_hooks_with_the_plugins_name) {
  std::string heard;
  bool stop = false;
  install({.log =
               [&](uint32_t level, std::string_view plugin, std::string_view line) {
                 heard += std::to_string(level) + " " + std::string(plugin) + ": " + std::string(line) + "\n";
               },
           .progress =
               [&](uint64_t done, uint64_t total, std::string_view what) {
                 heard += std::to_string(done) + "/" + std::to_string(total) + " " + std::string(what) + "\n";
               },
           .cancelled = [&] { return stop; },
           .data_folders = {}});
  const auto& log = service<perrin_host_log>(PERRIN_HOST_LOG);
  const auto& progress = service<perrin_host_progress>(PERRIN_HOST_PROGRESS);
  {
    loader::Inside mark("/plugins/x.so", "thing", "read");
    log.write(PERRIN_LOG_WARNING, "slow disk"_t);
  }
  log.write(PERRIN_LOG_INFO, "outside"_t);
  progress.report(3, 10, "files"_t);
  EXPECT_EQ(progress.cancelled(), 0);
  stop = true;
  EXPECT_NE(progress.cancelled(), 0);
  install({});
  EXPECT_EQ(heard, "2 x.so: slow disk\n1 plugin: outside\n3/10 files\n");
  EXPECT_EQ(progress.cancelled(), 0);
}

TEST(Host, artifacts_are_found_in_order_and_a_miss_lists_every_place) {
  namespace fs = std::filesystem;
  const fs::path base = fs::temp_directory_path() / ("perrin-artifact-" + std::to_string(::getpid()));
  fs::create_directories(base / "first");
  fs::create_directories(base / "second");
  std::ofstream(base / "second/table.bin") << "x";
  std::ofstream(base / "first/only.bin") << "x";
  std::ofstream(base / "second/only.bin") << "y";
  install({.log = {}, .progress = {}, .cancelled = {}, .data_folders = {base / "first"}});
  ::setenv("PERRIN_DATA", (base / "second").c_str(), 1);
  const auto& artifact = service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT);
  perrin_text path = {};
  EXPECT_EQ(outcome(artifact.find("table.bin"_t, &path)), "");
  EXPECT_EQ(services::view(path), (base / "second/table.bin").string());
  EXPECT_EQ(outcome(artifact.find("only.bin"_t, &path)), "");
  EXPECT_EQ(services::view(path), (base / "first/only.bin").string());
  const perrin_text before = path;
  const std::string miss = outcome(artifact.find("missing.bin"_t, &path));
  EXPECT_EQ(path.data, before.data) << "an output changed on failure";
  for (const auto& place : {base / "first/missing.bin", fs::current_path() / "missing.bin", base / "second/missing.bin",
                            fs::path("/usr/share/datasets/missing.bin")})
    EXPECT_NE(miss.find(place.string()), std::string::npos) << miss;
  EXPECT_EQ(miss.substr(0, 2), "7:");
  install({});
  ::unsetenv("PERRIN_DATA");
  fs::remove_all(base);
}

// A host of an older minor: the fields at the end of its table are not there.
const void* no_services(const perrin_host*, perrin_text) { return nullptr; }

TEST(Host, a_plugin_refuses_a_truncated_or_poorer_host_cleanly) {
  const auto& plain = registry().load(plugin("abi-plain"));
  perrin_host old = *services::host();
  old.struct_size = offsetof(perrin_host, status_code);
  EXPECT_EQ(outcome(plain.entry->init(&old)), "4: this host is too old");
  perrin_host poor = *services::host();
  poor.get_extension = no_services;
  EXPECT_EQ(outcome(plain.entry->init(&poor)), "4: this host has no operators");
  EXPECT_EQ(outcome(plain.entry->init(services::host())), "");
}

}  // namespace
}  // namespace perrin::test
