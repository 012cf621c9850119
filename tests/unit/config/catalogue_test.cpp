#include "host/config/catalogue.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/config/host_tables.hpp"
#include "host/config/schema_problems.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

TEST(Catalogue, JsonRoundTripKeepsEveryField) {
  for (Factory factory : catalogue()) {
    factory.aliases.push_back("other");
    const nlohmann::json json = to_json(factory);
    const Factory again = factory_from_json(nlohmann::json::parse(json.dump()));
    EXPECT_EQ(to_json(again), json);
    ASSERT_EQ(again.keys.size(), factory.keys.size());
    for (size_t i = 0; i < again.keys.size(); ++i) {
      EXPECT_EQ(again.keys[i].type, factory.keys[i].type);
      EXPECT_EQ(again.keys[i].default_value, factory.keys[i].default_value)
          << factory.id << "." << factory.keys[i].name;
      EXPECT_EQ(again.keys[i].min_exclusive, factory.keys[i].min_exclusive);
      EXPECT_EQ(again.keys[i].choices, factory.keys[i].choices);
    }
  }
}

TEST(Catalogue, MalformedJsonIsAnErrorNotACrash) {
  for (const char* text :
       {"{}", "[]", "3", "null", R"({"kind":"a","id":"b","keys":[{}]})", R"({"kind":"a","id":1,"keys":[]})",
        R"({"kind":"a","id":"b","keys":[{"name":"k","type":"colour"}]})",
        R"({"kind":"a","id":"b","keys":[{"name":"k","type":"integer","default":"x"}]})",
        R"({"kind":"a","id":"b","keys":[{"name":"k","type":"number","default":"x"}]})"})
    EXPECT_THROW(factory_from_json(nlohmann::json::parse(text)), Error) << text;
}

TEST(Catalogue, SoundSchemasHaveNoProblems) {
  for (const Factory& factory : catalogue()) EXPECT_EQ(schema_problems(factory), Texts{}) << factory.id;
  for (const Factory& factory : optimizers()) EXPECT_EQ(schema_problems(factory), Texts{}) << factory.id;
  for (const Factory* table : {&experiment_table(), &samples_table(), &stage_table(), &sampler_table()})
    EXPECT_EQ(schema_problems(*table), Texts{}) << table->id;
}

TEST(Catalogue, FaultySchemasAreNamed) {
  auto only_problem = [](Key faulty) {
    const Texts problems = schema_problems(simple("loss", "x", {std::move(faulty)}));
    return problems.size() == 1 ? problems[0] : "found " + std::to_string(problems.size());
  };
  EXPECT_EQ(only_problem(key("weight", Type::number, 1.0)),
            "loss \"x\": key \"weight\" is a key that the host itself reads in every loss");
  EXPECT_EQ(only_problem(key("k", Type::number, int64_t{1})),
            "loss \"x\": key \"k\" has a default that is not a number");
  Key bounded = key("k", Type::numbers, Numbers{0.5, 2.0});
  bounded.max = 1;
  EXPECT_EQ(only_problem(bounded), "loss \"x\": key \"k\" has a default that is out of the key's range <= 1");
  Key chosen = key("k", Type::text, std::string("c"));
  chosen.choices = {"a", "b"};
  EXPECT_EQ(only_problem(chosen), "loss \"x\": key \"k\" has a default that is not one of the key's choices");
  Key silent = key("k", Type::text, std::nullopt);
  silent.doc = "";
  EXPECT_EQ(only_problem(silent), "loss \"x\": key \"k\" has no documentation");
  EXPECT_EQ(
      schema_problems(simple("loss", "x", {key("a", Type::text, std::nullopt), key("a", Type::text, std::nullopt)})),
      Texts{"loss \"x\": key \"a\" is declared twice"});
}

}  // namespace
}  // namespace perrin::config::test
