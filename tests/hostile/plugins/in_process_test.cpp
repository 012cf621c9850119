// Plugins that pass the probe and misbehave later, inside the host's own process.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cfenv>

#include "host/loader/crash.hpp"
#include "host/services/component.hpp"
#include "host/services/host.hpp"
#include "tests/hostile/plugins/scratch.hpp"

namespace perrin::test {
namespace {

// Asks the fixture for one noise level, which is where it misbehaves.
void use(const std::string& fixture) {
  static loader::Registry registry(services::loader_host());
  const auto& library = registry.load(fs::path(PERRIN_FIXTURES) / (fixture + ".so"));
  const std::string id = "bomb-" + fixture;
  services::Component schedule(library, *library.find("schedule", id), "schedule", {{"level", 0.5}}, 0);
  double t = 1, alpha, sigma;
  schedule.invoke<&perrin_schedule::marginal>(uint64_t{1}, &t, &alpha, &sigma);
}

std::string misbehaviour(const std::string& fixture) {
  try {
    use(fixture);
    return "none";
  } catch (const services::Misbehaviour& error) {
    return error.message();
  }
}

void use_without_core_dumps(const std::string& fixture) {
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  loader::install_crash_handler();
  use(fixture);
}

// The process ends with one message and a code; it does not die silently, dump or print a stack.
void expect_named(const std::string& fixture, const std::string& what) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(use_without_core_dumps(fixture), testing::ExitedWithCode(1),
              "error: plugin .*/" + fixture + "\\.so ended the process: " + what + " in marginal of component bomb-" +
                  fixture + "\n  fix: report it");
}

TEST(InProcessDeathTest, a_segmentation_fault_is_named) { expect_named("later-segfault", "segmentation fault"); }
TEST(InProcessDeathTest, a_bad_pointer_is_named) { expect_named("later-bad_pointer", "segmentation fault"); }
TEST(InProcessDeathTest, a_stack_overflow_is_named) { expect_named("later-overflow_stack", "segmentation fault"); }
TEST(InProcessDeathTest, an_abort_is_named) { expect_named("later-give_up", "abort"); }
TEST(InProcessDeathTest, a_call_of_exit_is_named) { expect_named("later-leave", "it called exit\\(\\)"); }

TEST(InProcess, an_exception_is_named_and_the_host_goes_on) {
  EXPECT_EQ(misbehaviour("later-throw_it"),
            "error: the plugin threw an exception across the ABI: on purpose\n"
            "  at:  \"bomb-later-throw_it\" (later-throw_it.so), in marginal\n"
            "  fix: report it to the plugin's author\n");
}

TEST(InProcess, a_changed_rounding_mode_is_named_and_put_back) {
  EXPECT_EQ(misbehaviour("later-change_rounding"),
            "error: the plugin left the processor's rounding or flush-to-zero mode changed\n"
            "  at:  \"bomb-later-change_rounding\" (later-change_rounding.so), in marginal\n"
            "  fix: report it to the plugin's author\n");
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

TEST(InProcess, numbers_from_the_global_generator_are_named) {
  EXPECT_EQ(
      misbehaviour("later-draw_global_numbers"),
      "error: the plugin drew from or seeded LibTorch's global random generator; perrin.rng/1 is the only source of "
      "random numbers\n"
      "  at:  \"bomb-later-draw_global_numbers\" (later-draw_global_numbers.so), in marginal\n"
      "  fix: report it to the plugin's author\n");
  EXPECT_EQ(misbehaviour("later-draw_global_numbers").find("none"), std::string::npos) << "named once only";
}

}  // namespace
}  // namespace perrin::test
