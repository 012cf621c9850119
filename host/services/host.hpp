// The host as plugins see it: the tables of sdk/include/perrin/host.
#pragma once

#include "host/loader/registry.hpp"
#include "perrin/abi.h"

namespace perrin::services {

// For tier A: every service but perrin.torch-native/1. Static.
const perrin_host* host();
// For tier B, whose fingerprint the loader has compared: every service. Static.
const perrin_host* native_host();

// What this program was built with; sdk/include/perrin/cpp/torch.hpp computes the plugin's side by the same macro.
perrin_fingerprint fingerprint();

// All three, for loader::Registry.
loader::Host loader_host();

}  // namespace perrin::services
