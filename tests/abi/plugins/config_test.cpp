// The configuration reader.
#include "host/services/config.hpp"

#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

const perrin_host_config& api() { return service<perrin_host_config>(PERRIN_HOST_CONFIG); }

const perrin_config& config() {
  static const perrin_config one({{"flag", true},
                                  {"steps", int64_t{-7}},
                                  {"rate", 2.5},
                                  {"name", std::string("grün")},
                                  {"channels", std::vector<int64_t>{32, 64}},
                                  {"levels", std::vector<double>{0.5}},
                                  {"words", std::vector<std::string>{"a", "", "bc"}},
                                  {"none", std::vector<std::string>{}}});
  return one;
}

TEST(Config, every_type_is_read_back) {
  int32_t flag = 9;
  int64_t steps = 0;
  double rate = 0;
  perrin_text name = {};
  EXPECT_EQ(outcome(api().get_boolean(&config(), "flag"_t, &flag)), "");
  EXPECT_EQ(outcome(api().get_integer(&config(), "steps"_t, &steps)), "");
  EXPECT_EQ(outcome(api().get_number(&config(), "rate"_t, &rate)), "");
  EXPECT_EQ(outcome(api().get_string(&config(), "name"_t, &name)), "");
  EXPECT_EQ(flag, 1);
  EXPECT_EQ(steps, -7);
  EXPECT_EQ(rate, 2.5);
  EXPECT_EQ(services::view(name), "grün");
}

TEST(Config, lists_are_read_back) {
  const int64_t* channels = nullptr;
  const double* levels = nullptr;
  const perrin_text* words = nullptr;
  uint64_t n = 0;
  EXPECT_EQ(outcome(api().get_integers(&config(), "channels"_t, &channels, &n)), "");
  EXPECT_EQ(std::vector<int64_t>(channels, channels + n), (std::vector<int64_t>{32, 64}));
  EXPECT_EQ(outcome(api().get_numbers(&config(), "levels"_t, &levels, &n)), "");
  EXPECT_EQ(std::vector<double>(levels, levels + n), (std::vector<double>{0.5}));
  EXPECT_EQ(outcome(api().get_strings(&config(), "words"_t, &words, &n)), "");
  ASSERT_EQ(n, 3u);
  EXPECT_EQ(services::view(words[0]), "a");
  EXPECT_EQ(services::view(words[1]), "");
  EXPECT_EQ(services::view(words[2]), "bc");
  EXPECT_EQ(outcome(api().get_strings(&config(), "none"_t, &words, &n)), "");
  EXPECT_EQ(n, 0u);
}

TEST(Config, a_wrong_type_or_an_unknown_key_is_refused_and_outputs_stay) {
  int64_t value = 42;
  EXPECT_EQ(outcome(api().get_integer(&config(), "rate"_t, &value)),
            "5: key \"rate\" holds a value of type number and was read as integer");
  EXPECT_EQ(outcome(api().get_integer(&config(), "rates"_t, &value)),
            "5: the component's schema has no key \"rates\" with a value");
  EXPECT_EQ(value, 42);
}

}  // namespace
}  // namespace perrin::test
