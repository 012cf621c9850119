// A component's validated values as its plugin reads them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/config/value.hpp"
#include "perrin/host/config.h"

// Frozen. `values` holds every key of the schema; strings hands out views into it.
struct perrin_config {
  explicit perrin_config(std::map<std::string, perrin::config::Value> values);

  const std::map<std::string, perrin::config::Value> values;
  std::map<std::string, std::vector<perrin_text>> texts;  // of the lists of texts
};
