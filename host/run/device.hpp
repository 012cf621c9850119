// Which device a run uses, and how this process is set up for it.
#pragma once

#include <string>

namespace perrin::run {

// "cpu", "cuda" or "auto": from now on services::run_device() is that. CUDA is LibTorch's CUDA half, loaded with dlopen
// before any query. "cuda" throws Error saying what is missing, the library, a driver or a device; "auto" is CUDA where
// all are there, else the CPU.
void use_device(const std::string& device);

// "cpu", or "cuda:0" and the device's name where the driver tells it.
std::string device_name();

// Once per process: flush denormals, keep freed memory for the next step instead of giving it back to the system.
void tune_process();

}  // namespace perrin::run
