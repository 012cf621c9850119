// Values of a TorchScript file have the types that its code declares.
#pragma once

#include <ATen/core/ivalue.h>

#include <string>

// `value` as one of `type`, with lists and dictionaries that know their elements' types. std::runtime_error names
// `what` where it is no such value, or holds itself.
c10::IValue of_type(const c10::IValue& value, const c10::TypePtr& type, const std::string& what, int depth = 0);
