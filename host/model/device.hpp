// Which device a model uses, and how this process is set up for it.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace perrin::model {

// Of "cpu", "cuda" or "auto". CUDA is LibTorch's CUDA half, loaded with dlopen before any query. "cuda" throws Error
// saying what is missing, the library, a driver or a device; "auto" is CUDA where all are there, else the CPU.
c10::Device device_called(const std::string& name);

// "cpu", or "cuda:0" and the device's name where the driver tells it.
std::string device_name(c10::Device device);

// Once per process: flush denormals, keep freed memory for the next step instead of giving it back to the system.
void tune_process();

}  // namespace perrin::model
