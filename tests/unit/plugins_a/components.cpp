#include "tests/unit/plugins_a/components.hpp"

#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "host/loader/registry.hpp"
#include "host/services/host.hpp"

namespace perrin::testing {
namespace {

loader::Registry& registry() {
  static auto* registry = new loader::Registry(services::loader_host());
  return *registry;
}

// The elements of "[1, 2]".
template <class T>
std::vector<T> list(const std::string& text) {
  std::vector<T> values;
  const char* at = text.c_str() + 1;
  for (char* end = nullptr; *at != ']' && *at != '\0'; at = end + (*end == ',')) {
    values.push_back(static_cast<T>(std::strtod(at, &end)));
    if (end == at) break;
  }
  return values;
}

// The TOML literals that built-in schemas use.
config::Value literal(const perrin_key& key) {
  const std::string text(services::view(key.default_value));
  switch (key.type) {
    case PERRIN_BOOLEAN:
      return text == "true";
    case PERRIN_INTEGER:
      return static_cast<int64_t>(std::stoll(text));
    case PERRIN_NUMBER:
      return std::stod(text);
    case PERRIN_STRING:
      return text.substr(1, text.size() - 2);
    case PERRIN_INTEGERS:
      return list<int64_t>(text);
    default:
      return list<double>(text);
  }
}

}  // namespace

services::Component load(const std::string& file, const std::string& kind, const std::string& id, Values given) {
  const loader::Library& library = registry().load(file);
  const perrin_component* found = library.find(kind, id);
  if (found == nullptr) throw Error("no " + kind + " " + id, file);
  for (uint32_t i = 0; i < found->n_keys; ++i)
    if (found->keys[i].default_value.size > 0)
      given.emplace(std::string(services::view(found->keys[i].name)), literal(found->keys[i]));
  return services::Component(library, *found, kind, std::move(given), 0);
}

std::string no_fashion_mnist() {
  if (std::filesystem::exists("/usr/share/datasets/fashion-mnist") || std::getenv("PERRIN_DATA")) return "";
  return "no Fashion-MNIST here: neither /usr/share/datasets/fashion-mnist nor PERRIN_DATA";
}

services::Component builtin(const std::string& kind, const std::string& id, Values given) {
  const bool unchanged = kind == "guidance" || kind == "timesteps";
  const std::string family = unchanged ? kind : kind + "s";
  return load(std::string(PERRIN_TEST_PLUGINS) + "/perrin-" + family + ".so", kind, id, std::move(given));
}

std::vector<perrin_time> levels(const services::Component& schedule, const std::vector<double>& t) {
  std::vector<double> alpha(t.size()), sigma(t.size());
  schedule.invoke<&perrin_schedule::marginal>(t.size(), t.data(), alpha.data(), sigma.data());
  std::vector<perrin_time> times;
  for (size_t i = 0; i < t.size(); ++i) times.push_back({t[i], alpha[i], sigma[i]});
  return times;
}

std::vector<perrin_time> levels(const services::Component& schedule) {
  perrin_time_domain domain{};
  schedule.invoke<&perrin_schedule::domain>(&domain);
  std::vector<double> t(domain.steps);
  std::iota(t.begin(), t.end(), 0.0);
  return levels(schedule, t);
}

}  // namespace perrin::testing
