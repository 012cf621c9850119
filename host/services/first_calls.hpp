// Tiny calls into a fresh instance, to see in the probe what would otherwise hit a run.
#pragma once

#include "host/services/component.hpp"

namespace perrin::services {

// Calls what an instance of this kind can answer right after create, on two samples at most. A status is an answer like
// any other; throws Misbehaviour if the plugin breaks a rule of the ABI.
void try_first_calls(const Component& component);

}  // namespace perrin::services
