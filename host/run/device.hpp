// Which device a run uses, and how this process is set up for it.
#pragma once

#include <string>

namespace perrin::run {

// "cpu", "cuda" or "auto". Training and sampling run on the CPU in this version; "cuda" loads LibTorch's CUDA half with
// dlopen before any query and throws Error saying what is missing: the library, a driver, a device, or support. "auto" is the CPU.
void use_device(const std::string& device);

// Once per process: flush denormals, keep freed memory for the next step instead of giving it back to the system.
void tune_process();

}  // namespace perrin::run
