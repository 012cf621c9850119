// Boxed arguments: a plugin's perrin_argument <-> LibTorch's IValue. Internal to host/services.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include "perrin/host/op.h"

namespace perrin::services {

// The value as an argument of this type; throws Fault with both types if it is none.
c10::IValue to_ivalue(const perrin_argument& given, const c10::Argument& wanted, const c10::Type& type);

}  // namespace perrin::services
