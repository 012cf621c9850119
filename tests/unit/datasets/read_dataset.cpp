// Answers lines of JSON, {"use": ID, "values": {KEY: VALUE, ...}}, with a dataset's samples, its warnings and its
// error, for peers_test.py.
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/services/session.hpp"
#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {
namespace {

config::Value value_of(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<int64_t>();
  return value.get<std::string>();
}

nlohmann::json samples_of(const std::string& id, const Values& values) {
  const services::Component dataset = builtin("dataset", id, values);
  nlohmann::json samples = nlohmann::json::array();
  for (uint64_t i = 0, n = count_of(dataset); i < n; ++i) {
    const Sample sample = read_sample(dataset, i);
    const size_t plane = sample.image.size() / 3;
    samples.push_back({{"label", sample.label},
                       {"caption", sample.caption},
                       {"colour", {sample.image[0], sample.image[plane], sample.image[2 * plane]}}});
  }
  return samples;
}

}  // namespace
}  // namespace perrin::testing

int main() {
  using namespace perrin;
  nlohmann::json out;
  services::Hooks hooks;
  hooks.log = [&](uint32_t, std::string_view, std::string_view line) { out["warnings"].push_back(line); };
  services::Session::set_of_process(std::make_shared<services::Session>(std::move(hooks)));
  for (std::string line; std::getline(std::cin, line);) {
    const nlohmann::json asked = nlohmann::json::parse(line);
    out = {{"warnings", nlohmann::json::array()}};
    testing::Values values;
    for (const auto& [key, value] : asked["values"].items()) values[key] = testing::value_of(value);
    out["error"] = testing::message_of([&] { out["samples"] = testing::samples_of(asked["use"], values); });
    std::cout << out.dump() << std::endl;
  }
}
