// A host whose services fail when told to: what a plugin sees of it is otherwise the real one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/loader/registry.hpp"

namespace perrin::test {

struct Injected {
  std::string service;  // "tensor.create"; empty: none fails
  int64_t call = 0;     // which of its calls, from 1
};

// From now on; the counts begin at 0.
void inject(const Injected& fault);
// How often each service was called since then.
const std::map<std::string, int64_t>& calls();

// All that can fail.
std::vector<std::string> wrapped_services();

// One for the process: plugins keep the host that they were begun with.
loader::Registry& faulty_registry();

}  // namespace perrin::test
