// The texts of code/ in a TorchScript file, before anything compiles them.
#pragma once

#include <string>

// std::runtime_error unless `text` is what torch.jit.save writes: nested so little that a compiler's recursion ends,
// with loops over ranges only, which are compiled once and not once for each element.
void check_script_text(const std::string& text, const std::string& name);
