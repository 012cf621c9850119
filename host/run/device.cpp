#include "host/run/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>

#include "host/base/error.hpp"

namespace perrin::run {

void use_device(const std::string& device) {
  if (device == "cpu" || device == "auto") return;
  if (device != "cuda") throw Error("there is no device \"" + device + "\"", "--device", "cpu, cuda or auto", Exit::usage);
  if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) {
    throw Error("this LibTorch cannot use CUDA: " + std::string(dlerror()), "--device cuda",
                "install the CUDA wheels with `./perrin setup --cuda`, or use --device cpu");
  }
  if (!at::globalContext().hasCUDA() || at::globalContext().getAcceleratorHooksInterface(at::kCUDA).deviceCount() == 0)
    throw Error("no CUDA device is available", "--device cuda", "use --device cpu, or check the driver with nvidia-smi");
  throw Error("this version of Perrin trains and samples on the CPU only", "--device cuda", "use --device cpu");
}

void tune_process() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  at::globalContext().setFlushDenormal(true);
  at::parallel_for(0, at::get_num_threads(), 1, [](int64_t, int64_t) { at::globalContext().setFlushDenormal(true); });
}

}  // namespace perrin::run
