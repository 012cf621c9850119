// `perrin plugin` over folders with broken plugins: exit codes, messages, what stays usable, and how long a warm list
// takes.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/hostile/plugins/scratch.hpp"

namespace perrin::test {
namespace {

struct Outcome {
  int code = -1;
  std::string out, err;
};

class Command : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) {
    const std::string out = (scratch.path / "out").string(), err = (scratch.path / "err").string();
    const std::string line = "PERRIN_PLUGIN_PATH=" + scratch.root().string() +
                             " XDG_CACHE_HOME=" + scratch.path.string() +
                             "/xdg XDG_DATA_HOME=" + scratch.path.string() + "/data " PERRIN_PROGRAM " " + arguments +
                             " >" + out + " 2>" + err;
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(out), read_bytes(err)};
  }
  Scratch scratch;
};

TEST_F(Command, list_shows_good_and_broken_ones) {
  scratch.add("good");
  scratch.add("create-segfault");
  scratch.add("twin-one");
  scratch.add("twin-two");
  scratch.write("text.so", "hello");
  const auto listed = run("plugin list --kind schedule");
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_NE(listed.out.find("bomb-good"), std::string::npos) << listed.out;
  EXPECT_NE(listed.out.find("text.so: not an ELF shared library"), std::string::npos) << listed.out;
  EXPECT_NE(
      listed.out.find("create-segfault.so: crashed (Segmentation fault) in create of component bomb-create-segfault"),
      std::string::npos)
      << listed.out;
  EXPECT_NE(listed.out.find("schedule \"twin\" is offered by "), std::string::npos) << listed.out;
  const auto json = nlohmann::json::parse(run("plugin list --json").out);
  size_t unusable = 0;
  for (const auto& library : json["libraries"]) unusable += !library["usable"].get<bool>();
  EXPECT_EQ(unusable, 2u);
}

TEST_F(Command, show_prints_the_whole_schema) {
  scratch.add("good");
  const auto shown = run("plugin show bomb-good");
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* part : {"bomb-good  (schedule 1.0, tier A)", "Breaks a rule: good.", "level : number, default 0.5",
                           "a number between 0 and 1", "range: >= 0, <= 1", "since: 1.0"})
    EXPECT_NE(shown.out.find(part), std::string::npos) << part << " is missing in\n" << shown.out;
}

TEST_F(Command, what_cannot_be_shown_is_one_message_and_a_code) {
  scratch.add("good");
  scratch.add("create-segfault");
  const auto typo = run("plugin show bomb-goood");
  EXPECT_EQ(typo.code, 2);
  EXPECT_NE(typo.err.find("error: there is no component \"bomb-goood\""), std::string::npos) << typo.err;
  EXPECT_NE(typo.err.find("did you mean \"bomb-good\"?"), std::string::npos) << typo.err;
  const auto broken = run("plugin show bomb-create-segfault");
  EXPECT_EQ(broken.code, 1);
  EXPECT_NE(broken.err.find(
                "error: schedule \"bomb-create-segfault\" cannot be used; its plugin: crashed (Segmentation fault) in "
                "create of component bomb-create-segfault"),
            std::string::npos)
      << broken.err;
  EXPECT_EQ(run("plugin list --kind samplers").code, 2);
  EXPECT_EQ(run("plugin lst").code, 2);
  EXPECT_EQ(run("plugin list --jsn").code, 2);
}

// Not a benchmark: far above what it takes, far below one start of LibTorch for each of ten libraries.
TEST_F(Command, a_warm_list_of_ten_libraries_starts_no_probe) {
  for (int i = 0; i < 10; ++i) scratch.add("good", "copy" + std::to_string(i));
  run("plugin list");
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));  // until the files count as settled
  run("plugin list");
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run("plugin list").code, 0);
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf("warm list of ten libraries: %.1f ms, shell included\n", best);
  EXPECT_LT(best, 1000);
}

}  // namespace
}  // namespace perrin::test
