#include "host/services/config.hpp"

#include "host/services/status.hpp"
#include "host/services/tables.hpp"

perrin_config::perrin_config(std::map<std::string, perrin::config::Value> given) : values(std::move(given)) {
  for (const auto& [key, value] : values)
    if (auto* list = std::get_if<std::vector<std::string>>(&value))
      for (const auto& item : *list) texts[key].push_back({item.data(), item.size()});
}

namespace perrin::services {
namespace {

template <class T>
const T& get(const perrin_config* config, perrin_text key) {
  auto found = config->values.find(std::string(view(key)));
  if (found == config->values.end())
    throw Fault(PERRIN_INVALID_CONFIG,
                "the component's schema has no key \"" + std::string(view(key)) + "\" with a value");
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    auto wanted = config::type_name(static_cast<config::Type>(config::Value(T()).index()));
    auto held = config::type_name(static_cast<config::Type>(found->second.index()));
    throw Fault(PERRIN_INVALID_CONFIG, "key \"" + std::string(view(key)) + "\" holds a value of type " +
                                           std::string(held) + " and was read as " + std::string(wanted));
  }
  return *value;
}

template <class T, class Out>
perrin_status* get_scalar(const perrin_config* config, perrin_text key, Out* value) {
  return as_status([&] { *value = get<T>(config, key); });
}

template <class T>
perrin_status* get_list(const perrin_config* config, perrin_text key, const T** values, uint64_t* n) {
  return as_status([&] {
    const auto& list = get<std::vector<T>>(config, key);
    *values = list.data();
    *n = list.size();
  });
}

perrin_status* get_string(const perrin_config* config, perrin_text key, perrin_text* value) {
  return as_status([&] { *value = text(get<std::string>(config, key)); });
}

perrin_status* get_strings(const perrin_config* config, perrin_text key, const perrin_text** values, uint64_t* n) {
  return as_status([&] {
    get<std::vector<std::string>>(config, key);
    auto found = config->texts.find(std::string(view(key)));
    *n = found == config->texts.end() ? 0 : found->second.size();
    *values = *n == 0 ? nullptr : found->second.data();
  });
}

}  // namespace

const perrin_host_config config_table = {sizeof(perrin_host_config),
                                         0,
                                         get_scalar<bool, int32_t>,
                                         get_scalar<int64_t, int64_t>,
                                         get_scalar<double, double>,
                                         get_string,
                                         get_list<int64_t>,
                                         get_list<double>,
                                         get_strings};

}  // namespace perrin::services
