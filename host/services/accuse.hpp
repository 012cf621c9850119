// Faults that a plugin commits where no status can tell it: in a service that returns nothing. They are kept for the
// thread, with the plugin that was being run, and thrown when the call into it returns (host/services/guard.hpp).
#pragma once

#include <string>

#include "perrin/host/tensor.h"

namespace perrin::services {

// "called release of ... with ...". The first one counts. A thread that is in no plugin's call is a plugin's own; its
// fault is thrown by whichever call returns next.
void accuse(std::string what) noexcept;

// Throws Misbehaviour for what was kept, if anything, and forgets it.
void throw_accusation();
void forget_accusation() noexcept;

// What a pointer is that is no living box, for a message.
std::string not_alive(const perrin_tensor* tensor);

}  // namespace perrin::services
