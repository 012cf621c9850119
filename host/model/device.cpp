#include "host/model/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>

#include <filesystem>
#include <fstream>

#include "host/base/error.hpp"
#include "host/kernels/waiting.hpp"

namespace perrin::model {

namespace {

// The driver's device nodes: what a machine without a GPU does not have, asked before a gigabyte of library is loaded.
bool has_driver() { return std::filesystem::exists("/dev/nvidiactl") || std::filesystem::exists("/dev/dxg"); }

c10::Device cuda() {
  if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) {
    throw Error("this LibTorch cannot use CUDA: " + std::string(dlerror()), "--device cuda",
                "install the CUDA wheels with `./perrin setup --cuda`, or use --device cpu");
  }
  if (!at::globalContext().hasCUDA() || at::globalContext().getAcceleratorHooksInterface(at::kCUDA).deviceCount() == 0)
    throw Error("no CUDA device is available", "--device cuda",
                "use --device cpu, or check the driver with nvidia-smi");
  return c10::Device(c10::kCUDA, 0);
}

}  // namespace

c10::Device device_called(const std::string& name) {
  if (name == "cuda") return cuda();
  if (name != "cpu" && name != "auto")
    throw Error("there is no device \"" + name + "\"", "--device", "cpu, cuda or auto", Exit::usage);
  if (name == "cpu" || !has_driver()) return c10::kCPU;
  try {
    return cuda();
  } catch (const Error&) {  // "auto" asks for nothing
    return c10::kCPU;
  }
}

std::string device_name(c10::Device device) {
  if (device.is_cpu()) return "cpu";
  std::error_code ignored;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", ignored)) {
    std::ifstream information(gpu.path() / "information");
    for (std::string line; std::getline(information, line);)
      if (line.rfind("Model:", 0) == 0) return device.str() + " " + line.substr(line.find_first_not_of(" \t", 6));
  }
  return device.str();
}

void tune_process() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  at::globalContext().setFlushDenormal(true);
  at::parallel_for(0, at::get_num_threads(), 1, [](int64_t, int64_t) { at::globalContext().setFlushDenormal(true); });
  kernels::give_way_when_busy();
}

}  // namespace perrin::model
