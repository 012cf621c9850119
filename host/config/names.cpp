#include <algorithm>

#include "host/config/build.hpp"
#include "host/config/host_tables.hpp"
#include "host/config/suggest.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

std::vector<std::string> known_names() {
  std::vector<std::string> names = {"experiment", "include", "samples", "stage"};
  for (const Role& role : roles()) names.emplace_back(role.kind);
  std::sort(names.begin(), names.end());
  return names;
}

// The address of a host key that was written without its table; empty for others.
std::string home_of(const std::string& name) {
  struct Home {
    const char* prefix;
    const std::vector<Key>& keys;
  };
  const Home homes[] = {{"experiment.", experiment_table().keys},
                        {"stage.", stage_table().keys},
                        {"stage.optimizer.", optimizers().front().keys},
                        {"samples.", samples_table().keys},
                        {"encoder.", encoder_table().keys},
                        {"sampler.", sampler_table().keys},
                        {"stage.loss.", loss_table().keys}};
  if (name == "loss" || name == "optimizer") return "stage." + name;
  for (const Home& home : homes)
    if (find_key(home.keys, name)) return home.prefix + name;
  return "";
}

}  // namespace

void check_names(const Table& root, Log& log) {
  const std::vector<std::string> known = known_names();
  for (const Entry& entry : root.entries) {
    if (std::binary_search(known.begin(), known.end(), entry.name)) continue;
    if (const char* later = later_table(entry.name)) {
      log.error(entry.at, "[" + entry.name + "]: " + later + " in this version", "remove it to run the rest");
      continue;
    }
    const bool table = entry.node.table() || entry.node.array();
    const std::string home = home_of(entry.name);
    log.error(entry.at,
              "unknown " + std::string(table ? "table " : "key ") + quote(entry.name) + " at the top of the file",
              home.empty() ? suggestion(entry.name, known) : "did you mean " + quote(home) + "?");
  }
}

}  // namespace perrin::config
