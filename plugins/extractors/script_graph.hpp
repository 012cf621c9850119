// What the compiled code of a TorchScript file may do.
#pragma once

#include <ATen/core/function.h>

#include <set>
#include <string>
#include <vector>

// Reads every function and all that they call, and throws std::runtime_error with the operator and its place for what
// is not arithmetic (script_operators.hpp). Before any of them runs. Changes them: what only prints is left out, and
// loops count against limit_script_loops().
void check_script_functions(const std::vector<torch::jit::Function*>& functions);

// This thread's scripts go round at most `n` times from here on.
void limit_script_loops(int64_t n);
