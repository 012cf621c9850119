// A network in a file of torch.jit.save, read so that nothing in the file runs before all of it is known to be
// arithmetic.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

// std::exception says why the file is none, or what it would do.
torch::jit::Module read_script(const std::string& file);
