// What the index says about each hostile plugin, and that it says so about no other.
#include <gtest/gtest.h>

#include "host/services/host.hpp"
#include "tests/hostile/plugins/scratch.hpp"

namespace perrin::test {
namespace {

struct Case {
  std::string fixture;
  std::string what;  // part of the reason
  std::string fix;   // part of what to do
};

const std::string kReport = "report it to the plugin's author";

std::vector<Case> all_cases() {
  std::vector<Case> cases = {
      {"abi-major", "built for plugin ABI 2; this host has ABI 1", "use the Perrin that the plugin was built for"},
      {"newer-minor", "needs a host with plugin ABI 1.99 or newer; this host has 1.0", "use a newer Perrin"},
      {"tier", "its note names tier 9; there are 1 (A) and 2 (B)", "perrin_add_plugin()"},
      {"fingerprint", "fingerprint mismatch in torch: plugin has 0.0.1, host has 2.", "PERRIN_LIBTORCH"},
      {"no-note", "a shared library, but not a Perrin plugin: it has no .note.perrin.abi", "PERRIN_ELF_NOTE"},
      {"no-entry", "has the Perrin note but does not export perrin_entry", "PERRIN_EXPORT"},
      {"magic", "its perrin_entry does not start with PERRIN_MAGIC", "rebuild"},
      {"entry-size", "its perrin_entry has 16 bytes; ABI major 1 has at least 152", "rebuild"},
      {"note-differs", "its perrin_entry and its .note.perrin.abi say different things", "PERRIN_NOTE_TIER_A"},
      {"small-component", "a schedule's perrin_component is missing or too small", kReport},
      {"bad-default", "key \"level\" has the default high, which is no number", kReport},
      {"default-range", "key \"level\" has a default that is out of the key's range >= 0, <= 1", kReport},
      {"no-doc", "key \"level\" has no documentation", kReport},
      {"no-component-doc", "schedule \"bomb-no-component-doc\" has no documentation", kReport},
      {"unknown-type", "key \"level\" has the unknown type 99", kReport},
      {"empty-range", "key \"level\" has min > max", kReport},
      {"text-with-range", "key \"level\" has a range but is not numeric", kReport},
      {"reserved-key", "key \"sha256\" is a key that the host itself reads in every schedule", kReport},
      {"init-fails", "its init failed: no licence for this machine", kReport},
      {"constructor-segfault", "crashed (Segmentation fault) in its static initialisation", kReport},
      {"init-segfault", "crashed (Segmentation fault) in init", kReport},
      {"create-segfault", "crashed (Segmentation fault) in create of component bomb-create-segfault", kReport},
      {"call-segfault", "crashed (Segmentation fault) in marginal of component bomb-call-segfault", kReport},
      {"constructor-hang", "hangs: not back after 6 s in its static initialisation", kReport},
      {"init-hang", "hangs: not back after 6 s in init", kReport},
      {"create-hang", "hangs: not back after 6 s in create of component bomb-create-hang", kReport},
      {"call-hang", "hangs: not back after 6 s in marginal of component bomb-call-hang", kReport},
      {"constructor-leave", "ended the process (exit code 0) in its static initialisation", kReport},
      {"init-leave", "ended the process (exit code 0) in init", kReport},
      {"create-leave", "ended the process (exit code 0) in create of component bomb-create-leave", kReport},
      {"call-leave", "ended the process (exit code 0) in marginal of component bomb-call-leave", kReport},
      {"constructor-leave_at_once", "ended the process (exit code 0) in its static initialisation", kReport},
      {"init-leave_at_once", "ended the process (exit code 0) in init", kReport},
      {"create-leave_at_once", "ended the process (exit code 0) in create of", kReport},
      {"call-leave_at_once", "ended the process (exit code 0) in marginal of", kReport},
      {"constructor-give_up", "crashed (Aborted) in its static initialisation", kReport},
      {"init-give_up", "crashed (Aborted) in init", kReport},
      {"create-give_up", "crashed (Aborted) in create of component bomb-create-give_up", kReport},
      {"call-give_up", "crashed (Aborted) in marginal of component bomb-call-give_up", kReport},
      {"constructor-throw_it", "its static initialisation", ""},
      {"init-throw_it", "its init threw an exception across the ABI: on purpose", kReport},
      {"create-throw_it", "threw an exception across the ABI: on purpose, at \"bomb-create-throw_it\"", kReport},
      {"call-throw_it",
       "threw an exception across the ABI: on purpose, at \"bomb-call-throw_it\" (call-throw_it.so), in marginal",
       kReport},
      {"create-throw_number", "threw an exception across the ABI: something that is not a std::exception", kReport},
      {"create-bad_pointer", "crashed (Segmentation fault) in create of component bomb-create-bad_pointer", kReport},
      {"create-overflow_stack", "crashed (Segmentation fault) in create of component bomb-create-overflow_stack",
       kReport},
      {"destroy-segfault", "crashed (Segmentation fault) in destroy of component bomb-destroy-segfault", kReport},
      {"destructor-segfault", "crashed (Segmentation fault) in its static destruction", kReport},
      {"constructor-print", "prints to standard output, which belongs to the program", "perrin.log/1"},
      {"create-print", "prints to standard output, which belongs to the program", "perrin.log/1"},
      {"create-change_rounding",
       "left the processor's rounding or flush-to-zero mode changed, at \"bomb-create-change_rounding\"", kReport},
      {"call-draw_global_numbers", "drew from or seeded LibTorch's global random generator", kReport},
  };
  return cases;
}

// One scan over everything: the fixtures must not disturb each other either.
class Hostile : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    ::setenv("PERRIN_PROBE_TIMEOUT", "6", 1);
    scratch_ = new Scratch;
    scratch_->add("good");
    for (const auto& each : all_cases()) scratch_->add(each.fixture);
    index_ = new loader::Index(loader::Index::scan(scratch_->places()));
  }
  static void TearDownTestSuite() {
    delete index_;
    delete scratch_;
    ::unsetenv("PERRIN_PROBE_TIMEOUT");
  }
  static Scratch* scratch_;
  static loader::Index* index_;
};
Scratch* Hostile::scratch_ = nullptr;
loader::Index* Hostile::index_ = nullptr;

TEST_P(Hostile, is_listed_with_its_reason) {
  const auto& library = listed(*index_, GetParam().fixture);
  ASSERT_TRUE(library.problem) << "counted as usable";
  EXPECT_NE(library.problem->what.find(GetParam().what), std::string::npos) << library.problem->what;
  EXPECT_NE(library.problem->fix.find(GetParam().fix), std::string::npos) << library.problem->fix;
  EXPECT_EQ(library.problem->what.find("0x"), std::string::npos) << "a stack trace: " << library.problem->what;
}

TEST_P(Hostile, leaves_the_good_plugin_usable) {
  const auto& good = listed(*index_, "good");
  ASSERT_FALSE(good.problem) << good.problem->what;
  ASSERT_EQ(good.components.size(), 1u);
  EXPECT_EQ(good.components[0].id, "bomb-good");
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.fixture;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Plugins, Hostile, testing::ValuesIn(all_cases()), case_name);

TEST(Index, using_a_component_of_a_broken_plugin_is_refused_with_the_reason) {
  Scratch scratch;
  scratch.add("create-segfault");
  auto index = loader::Index::scan(scratch.places());
  EXPECT_NE(config::find_factory(index.catalogue(), "schedule", "bomb-create-segfault"), nullptr) << "it was described";
  try {
    index.require("schedule", "bomb-create-segfault");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find(
                  "schedule \"bomb-create-segfault\" cannot be used; its plugin: crashed (Segmentation fault) "
                  "in create of component bomb-create-segfault"),
              std::string::npos)
        << error.message();
    EXPECT_NE(error.where.find("create-segfault.so"), std::string::npos) << error.where;
  }
}

TEST(Index, an_id_that_two_plugins_offer_is_refused_with_both_files) {
  Scratch scratch;
  const auto one = scratch.add("twin-one"), two = scratch.add("twin-two");
  scratch.add("good");
  auto index = loader::Index::scan(scratch.places());
  ASSERT_EQ(index.conflicts().size(), 1u);
  EXPECT_EQ(index.conflicts()[0], "schedule \"twin\" is offered by " + one.string() + " and " + two.string());
  EXPECT_NO_THROW(index.require("schedule", "bomb-good"));
  try {
    index.require("schedule", "twin");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "error: schedule \"twin\" is offered by two plugins\n  at:  " + one.string() + " and " +
                                   two.string() + "\n  fix: remove one of the two files\n");
  }
}

TEST(Index, copies_and_links_of_one_plugin_do_not_conflict) {
  Scratch scratch;
  const auto file = scratch.add("good");
  scratch.add("good", "zcopy");
  fs::create_symlink(file, scratch.root() / "link.so");
  auto index = loader::Index::scan(scratch.places());
  EXPECT_EQ(index.libraries().size(), 2u) << "a link is the file itself";
  EXPECT_TRUE(index.conflicts().empty());
  EXPECT_NO_THROW(index.require("schedule", "bomb-good"));
  EXPECT_EQ(index.catalogue().size(), 1u);
}

TEST(Index, survives_every_kind_of_broken_cache_file) {
  Scratch scratch;
  scratch.add("good");
  loader::Index::scan(scratch.places());
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(scratch.path / "cache")) files.push_back(entry.path());
  ASSERT_FALSE(files.empty());
  for (const std::string& garbage :
       {std::string(), std::string("{"), std::string("{\"format\":1,\"components\":[{\"kind\":3}]}"),
        std::string("\xff\xfe\0", 3), std::string("[]"), std::string("{\"format\":99}")}) {
    for (const auto& file : files) std::ofstream(file, std::ios::binary) << garbage;
    std::ofstream(scratch.path / "cache/files.json", std::ios::binary) << garbage;
    auto index = loader::Index::scan(scratch.places());
    EXPECT_FALSE(listed(index, "good").problem) << "with a cache file of " << garbage;
  }
}

TEST(Index, a_library_that_changes_is_looked_at_again) {
  Scratch scratch;
  const auto file = scratch.add("good");
  loader::Index::scan(scratch.places());
  fs::remove(file);
  scratch.add("init-fails", "good");
  auto index = loader::Index::scan(scratch.places());
  EXPECT_TRUE(listed(index, "good").problem) << "the cache answered for another content";
}

TEST(Index, a_failure_is_remembered_and_tried_again_when_asked_for) {
  Scratch scratch;
  const auto file = scratch.add("create-segfault");
  auto places = scratch.places();
  loader::Index::scan(places);
  const auto before = fs::last_write_time(*fs::directory_iterator(places.cache));
  auto index = loader::Index::scan(places);
  EXPECT_EQ(fs::last_write_time(*fs::directory_iterator(places.cache)), before) << "probed again only for listing";
  EXPECT_THROW(index.require("schedule", "bomb-create-segfault"), Error);
  EXPECT_GT(fs::last_write_time(*fs::directory_iterator(places.cache)), before) << "not tried again";
}

TEST(Index, an_unwritable_cache_only_costs_time) {
  Scratch scratch;
  scratch.add("good");
  auto places = scratch.places();
  places.cache = "/proc/nowhere";
  auto index = loader::Index::scan(places);
  EXPECT_FALSE(listed(index, "good").problem);
}

TEST(Index, a_missing_probe_is_one_clear_error) {
  Scratch scratch;
  scratch.add("good");
  auto places = scratch.places();
  places.probe = "/nowhere/perrin-probe";
  try {
    loader::Index::scan(places);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "error: cannot start the plugin probe: No such file or directory\n  at:  /nowhere/perrin-probe\n"
              "  fix: build or install perrin-probe\n");
  }
}

}  // namespace
}  // namespace perrin::test
