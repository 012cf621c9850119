#include "host/services/extractor_file.hpp"

#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/config/schema_problems.hpp"
#include "host/config/suggest.hpp"
#include "host/services/status.hpp"
#include "perrin/cpp/json.hpp"

namespace perrin::services {
namespace {

using nlohmann::json;

[[noreturn]] void damaged(const std::string& file, const char* key, const std::string& why) {
  throw Fault(PERRIN_INVALID_DATA, file + ": its metadata \"" + key + "\" " + why);
}

json parsed(const std::string& text, const std::string& file, const char* key) {
  if (nests_too_deep(text)) damaged(file, key, "is nested too deep");
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) damaged(file, key, "is not JSON: " + text);
  return value;
}

// The schema with the file's values as its defaults: one reader and one set of rules for both.
config::Factory with_defaults(const config::Factory& factory, const json& given, const std::string& file) {
  json schema = config::to_json(factory);
  std::vector<std::string> names;
  for (json& key : schema["keys"]) {
    const auto name = key["name"].get<std::string>();
    names.push_back(name);
    if (!given.contains(name)) continue;
    const config::Key& own = *config::find_key(factory.keys, name);
    const bool free = own.choices.empty() && (own.type == config::Type::text || own.type == config::Type::texts);
    if (free && !(own.default_value && config::to_json(*own.default_value) == given[name]))
      damaged(file, kExtractorConfig,
              "gives \"" + name +
                  "\" a text of its own: a file of weights sets numbers and choices, and names no other file");
    key["default"] = given[name];
    key.erase("required");
  }
  for (const auto& [name, value] : given.items())
    if (config::find_key(factory.keys, name) == nullptr)
      damaged(file, kExtractorConfig,
              "has \"" + name + "\", which is no key of the extractor \"" + factory.id + "\"; " +
                  config::suggestion(name, names));
  try {
    config::Factory changed = config::factory_from_json(schema);
    if (const auto problems = config::schema_problems(changed); !problems.empty())
      damaged(file, kExtractorConfig, "gives defaults that do not fit: " + problems[0]);
    return changed;
  } catch (const Error& error) {
    damaged(file, kExtractorConfig, std::string("cannot be read: ") + error.what());
  }
}

}  // namespace

std::map<std::string, std::string> weights_metadata(const std::string& kind, const std::string& id,
                                                    const std::map<std::string, config::Value>& values,
                                                    const perrin_spec& x, uint64_t n_classes) {
  json config = json::object();
  for (const auto& [key, value] : values) config[key] = config::to_json(value);
  const json input = std::vector<int64_t>(x.sizes, x.sizes + x.rank);
  const std::string name = "perrin." + kind;
  return {{name, id},
          {name + ".config", config.dump()},
          {name + ".input", input.dump()},
          {name + ".classes", std::to_string(n_classes)}};
}

std::map<std::string, config::Value> extractor_values(const config::Factory& factory, const std::string& config,
                                                      const std::string& file) {
  const json given = config.empty() ? json::object() : parsed(config, file, kExtractorConfig);
  if (!given.is_object()) damaged(file, kExtractorConfig, "is no JSON object: " + config);
  std::map<std::string, config::Value> values;
  for (const config::Key& key : with_defaults(factory, given, file).keys) {
    if (key.default_value) values.emplace(key.name, *key.default_value);
    if (key.required)
      throw Fault(PERRIN_INVALID_CONFIG, file + ": the extractor \"" + factory.id + "\" cannot be without the key \"" +
                                             key.name + "\", which the file's metadata do not give");
  }
  return values;
}

int64_t extractor_channels(const std::string& input, const std::string& file) {
  if (input.empty()) return 0;
  const json sizes = parsed(input, file, kExtractorInput);
  if (!sizes.is_array() || sizes.empty() || !sizes[0].is_number_integer())
    damaged(file, kExtractorInput, "is no shape: " + input);
  return sizes[0].get<int64_t>();
}

uint64_t extractor_classes(const std::string& classes, const std::string& file) {
  if (classes.empty()) return 0;
  const json n = parsed(classes, file, kExtractorClasses);
  if (!n.is_number_unsigned()) damaged(file, kExtractorClasses, "is no number of classes: " + classes);
  return n.get<uint64_t>();
}

}  // namespace perrin::services
