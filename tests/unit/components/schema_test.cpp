// Every key of every built-in component refuses what its schema rules out, at its place in the file, and suggests
// itself when it is misspelt.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

using config::Factory;
using config::Key;
using config::Type;

// A value of this type, as TOML.
std::string some(Type type) {
  switch (type) {
    case Type::boolean:
      return "true";
    case Type::integer:
      return "1";
    case Type::number:
      return "0.5";
    case Type::text:
      return "'x'";
    case Type::integers:
      return "[1]";
    case Type::numbers:
      return "[0.5]";
    default:
      return "['x']";
  }
}

std::string fitting(const Key& key) {
  if (!key.choices.empty()) return key.type == Type::texts ? "['" + key.choices[0] + "']" : "'" + key.choices[0] + "'";
  if (key.min)
    return key.type == Type::integer ? std::to_string(std::llround(*key.min)) : std::to_string(*key.min + 0.5);
  return some(key.type);
}

// An experiment around one component with these keys, "key = value" each.
std::string experiment(const Factory& factory, const std::vector<std::string>& keys) {
  std::string text = "[experiment]\nname = 'x'\n";
  for (const auto& [kind, use] :
       {std::pair{"dataset", "gaussian-mixture"}, {"denoiser", "mlp"}, {"schedule", "linear"}})
    if (factory.kind != kind && (factory.kind != "extractor" || kind == std::string("dataset"))) text += "[" + std::string(kind) + "]\nuse = '" + use + "'\n";
  text += factory.kind == "loss" ? "[[stage]]\n[[stage.loss]]\n" : "[" + factory.kind + "]\n";
  text += "use = '" + factory.id + "'\n";
  for (const std::string& key : keys) text += key + "\n";
  return text;
}

// What loading says about the experiment with `key` set to `value`, and all required keys given.
std::string complaint(const Factory& factory, const std::string& name, const std::string& value) {
  std::vector<std::string> keys = {name + " = " + value};
  for (const Key& key : factory.keys)
    if (key.required && key.name != name) keys.push_back(key.name + " = " + fitting(key));
  return message_of([&] { config::load_text(experiment(factory, keys), "t.toml", {}, catalogue()); });
}

// Values that the schema rules out.
std::vector<std::string> bad_values(const Key& key) {
  const bool list = key.type == Type::integers || key.type == Type::numbers || key.type == Type::texts;
  const auto wrap = [&](std::string value) { return list ? "[" + value + "]" : value; };
  std::vector<std::string> values = {key.type == Type::text || key.type == Type::texts ? wrap("7") : wrap("'seven'")};
  values.push_back(list ? "1" : "[1]");
  if (!key.choices.empty()) values.push_back(wrap("'no-such-choice'"));
  const bool whole = key.type == Type::integer || key.type == Type::integers;
  const auto number = [&](double v) { return wrap(whole ? std::to_string(std::llround(v)) : std::to_string(v)); };
  if (key.min && std::isfinite(*key.min)) values.push_back(number(*key.min - 1));
  if (key.max && std::isfinite(*key.max)) values.push_back(number(*key.max + 1));
  if (key.min && key.min_exclusive) values.push_back(number(*key.min));
  if (key.max && key.max_exclusive) values.push_back(number(*key.max));
  if (whole) values.push_back(wrap("1.5"));
  return values;
}

TEST(Schema, EveryKeyRefusesWhatItsSchemaRulesOut) {
  int components = 0, keys = 0, values = 0;
  for (const Factory& factory : catalogue()) {
    if (factory.id.find('.') != std::string::npos) continue;  // the tests' own
    ++components;
    for (const Key& key : factory.keys) {
      ++keys;
      for (const std::string& value : bad_values(key)) {
        ++values;
        const std::string said = complaint(factory, key.name, value);
        EXPECT_NE(said.find("t.toml:"), std::string::npos)
            << factory.kind << " " << factory.id << ": " << key.name << " = " << value;
        EXPECT_NE(said.find(key.name), std::string::npos) << said;
      }
      const std::string said = complaint(factory, key.name + key.name.back(), some(key.type));
      EXPECT_NE(said.find(key.name), std::string::npos)
          << factory.id << ": no suggestion for a misspelt " << key.name << "\n"
          << said;
    }
  }
  std::printf("%d components, %d keys, %d values refused\n", components, keys, values);
  EXPECT_GT(components, 60);
}

TEST(Schema, EveryDefaultIsAccepted) {
  for (const Factory& factory : catalogue()) {
    std::vector<std::string> keys;
    for (const Key& key : factory.keys)
      if (key.required) keys.push_back(key.name + " = " + fitting(key));
    EXPECT_EQ(message_of([&] { config::load_text(experiment(factory, keys), "t.toml", {}, catalogue()); }), "")
        << factory.kind << " " << factory.id;
  }
}

}  // namespace
}  // namespace perrin::test
