// Built-in components for tests, made through the host's own loader and services as a run makes them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/config/value.hpp"
#include "host/services/component.hpp"

namespace perrin::testing {

using Values = std::map<std::string, config::Value>;

// The component of `file`, with the defaults of its schema where `given` says nothing. `given` is not checked against
// the schema, as the host's configuration has done that in a run.
services::Component load(const std::string& file, const std::string& kind, const std::string& id, Values given = {});

// The same for a built-in: the library is perrin-<kind's folder>.so of this build.
services::Component builtin(const std::string& kind, const std::string& id, Values given = {});

// For tests that need the real files; the reason to skip, empty where they are.
std::string no_fashion_mnist();

// alpha and sigma of a schedule at whole times.
std::vector<perrin_time> levels(const services::Component& schedule, const std::vector<double>& t);
// Of all times 0 .. T-1.
std::vector<perrin_time> levels(const services::Component& schedule);

// The message of the perrin::Error that `call` throws; empty if it throws none.
template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.where;
  }
  return "";
}

}  // namespace perrin::testing
