// Every global state that a plugin can leak: named, and put back.
#include "host/services/guard.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <cfenv>
#include <functional>

#include "host/services/process_state.hpp"
#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

// What the guard says about a call that does `deed`; "clean" if nothing.
std::string leak(const std::function<void()>& deed) {
  const auto before = services::read_state();
  std::string what = "clean";
  try {
    services::invoke({"/p/x.so", "thing", "forward"}, [&]() -> perrin_status* {
      deed();
      return nullptr;
    });
  } catch (const services::Misbehaviour& error) {
    what = error.what();
    EXPECT_EQ(error.where, "\"thing\" (x.so), in forward");
  }
  EXPECT_EQ(services::read_state(), before) << "not put back after: " << what;
  return what;
}

const std::string kGenerator =
    "the plugin drew from or seeded LibTorch's global random generator; perrin.rng/1 is the only source of random "
    "numbers";

TEST(Guard, nothing_done_is_nothing_said) {
  EXPECT_EQ(leak([] {}), "clean");
  EXPECT_EQ(leak([] { at::randn({8}, at::make_generator<at::CPUGeneratorImpl>(1)); }), "clean");
}

TEST(Guard, the_generator) {
  at::manual_seed(5);
  EXPECT_EQ(leak([] { at::rand({1}); }), kGenerator);
  EXPECT_EQ(leak([] { at::randn({1}); }), kGenerator);
  EXPECT_EQ(leak([] { at::rand({624}); }), kGenerator) << "a whole turn of the engine brings its position back";
  EXPECT_EQ(leak([] { at::rand({624 * 3}); }), kGenerator);
  EXPECT_EQ(leak([] { at::manual_seed(6); }), kGenerator);
}

TEST(Guard, modes) {
  EXPECT_EQ(leak([] { c10::GradMode::set_enabled(false); }),
            "the plugin left LibTorch's grad mode changed; set it in a scope (at::AutoGradMode)");
  EXPECT_EQ(leak([] { at::autocast::set_autocast_enabled(at::kCPU, true); }),
            "the plugin left LibTorch's inference mode or autocast changed; set it in a scope");
  EXPECT_EQ(leak([] { c10::set_default_dtype(c10::scalarTypeToTypeMeta(at::kDouble)); }),
            "the plugin changed LibTorch's default dtype; give each tensor's dtype instead");
  const int threads = at::get_num_threads();
  EXPECT_EQ(leak([&] { at::set_num_threads(threads + 1); }),
            "the plugin changed LibTorch's number of threads, which is the user's setting");
}

TEST(Guard, the_settings_of_libtorch) {
  const std::string settings = "the plugin changed LibTorch's global settings (deterministic mode, cuDNN, oneDNN or autocast)";
  at::Context& context = at::globalContext();
  EXPECT_EQ(leak([&] { context.setDeterministicAlgorithms(true, false); }), settings);
  EXPECT_EQ(leak([&] { context.setDeterministicFillUninitializedMemory(false); }), settings);
  EXPECT_EQ(leak([&] { context.setUserEnabledMkldnn(false); }), settings);
  EXPECT_EQ(leak([&] { context.setBenchmarkCuDNN(true); }), settings);
  EXPECT_EQ(leak([] { at::autocast::set_autocast_dtype(at::kCPU, at::kHalf); }), settings);
  EXPECT_EQ(leak([] { at::autocast::set_autocast_cache_enabled(false); }), settings);
}

TEST(Guard, the_precision_of_libtorch_in_a_call_that_is_looked_at_closely) {
  const auto changed = [](const std::function<void()>& deed) -> std::string {
    const services::ProcessState before = services::read_process();
    deed();
    try {
      services::check_process(before, {"/p/x.so", "thing", "forward"});
      return "clean";
    } catch (const services::Misbehaviour& error) {
      EXPECT_EQ(services::read_process().precision, before.precision);
      return error.what();
    }
  };
  const std::string precision = "the plugin changed LibTorch's float32 precision (TF32, matmul precision)";
  EXPECT_EQ(changed([] {}), "clean");
  EXPECT_EQ(changed([] { at::globalContext().setFloat32MatmulPrecision("medium"); }), precision);
  EXPECT_EQ(changed([] { at::globalContext().setAllowTF32CuBLAS(true); }), precision);
  EXPECT_EQ(changed([] { at::globalContext().setAllowTF32CuDNN(!at::globalContext().allowTF32CuDNN()); }), precision);
}

TEST(Guard, the_processors_arithmetic) {
  const std::string control = "the plugin left the processor's rounding or flush-to-zero mode changed";
  for (int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    EXPECT_EQ(leak([&] { std::fesetround(mode); }), control);
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  }
  if (at::globalContext().setFlushDenormal(false))
    EXPECT_EQ(leak([] { at::globalContext().setFlushDenormal(true); }), control);
  EXPECT_EQ(leak([] { std::feraiseexcept(FE_INEXACT | FE_OVERFLOW); }), "clean") << "sticky flags are nobody's state";
}

TEST(Guard, state_is_put_back_after_a_failure_too) {
  const auto before = services::read_state();
  EXPECT_THROW(services::invoke({"x.so", "thing", "forward"},
                                []() -> perrin_status* {
                                  c10::GradMode::set_enabled(false);
                                  throw std::runtime_error("lost");
                                }),
               services::Misbehaviour);
  EXPECT_EQ(services::read_state(), before);
  EXPECT_THROW(services::invoke({"x.so", "thing", "forward"},
                                []() -> perrin_status* {
                                  std::fesetround(FE_UPWARD);
                                  return services::host()->status_new(PERRIN_ERROR, "no"_t, ""_t);
                                }),
               services::PluginError);
  EXPECT_EQ(services::read_state(), before);
}

TEST(Guard, modules_may_draw_while_they_are_made_from_the_runs_seed_alone) {
  auto draw = [](uint64_t seed) {
    at::Tensor drawn;
    services::invoke_seeded({"x.so", "thing", "create"}, seed, [&]() -> perrin_status* {
      drawn = at::randn({5});
      return nullptr;
    });
    return drawn;
  };
  const auto before = services::read_state();
  const at::Tensor one = draw(1), again = draw(1), other = draw(2);
  EXPECT_TRUE(one.equal(again));
  EXPECT_FALSE(one.equal(other));
  EXPECT_EQ(services::read_state(), before);
  EXPECT_THROW(services::invoke_seeded({"x.so", "thing", "create"}, 1,
                                       []() -> perrin_status* {
                                         at::randn({5});
                                         throw std::runtime_error("lost");
                                       }),
               services::Misbehaviour);
  EXPECT_EQ(services::read_state(), before);
}

}  // namespace
}  // namespace perrin::test
