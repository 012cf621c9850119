// One table against one schema. Internal to host/config.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/config/diagnostics.hpp"
#include "host/config/experiment.hpp"
#include "host/config/node.hpp"

namespace perrin::config {

// What a table may hold, and how messages call it.
struct Schema {
  std::vector<Key> keys;
  std::string label;                         // "[denoiser] (unet)"
  std::vector<std::string> other_keys = {};  // allowed here, read by someone else
};

// Fills values, where and defaults of `into`; faults go to the log and leave their key out. `table` may be null; then
// missing keys are told at `into.location`.
void read_table(const Table* table, const Schema& schema, Component& into, Log& log);

// The value of `node` as `key` wants it: integers serve as numbers, whole numbers as integers.
std::optional<Value> read_value(const Node& node, const Key& key, Log& log);

// "expected: number > 0, < 1 s", for hints.
std::string expected(const Key& key);

}  // namespace perrin::config
