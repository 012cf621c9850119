// Computes with LibTorch, then prints the path of every library that this process has mapped.
#include <ATen/core/Tensor.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <link.h>

#include <cstdio>

namespace {

int print_path(dl_phdr_info* info, size_t, void*) {
  if (info->dlpi_name[0] != '\0') std::puts(info->dlpi_name);
  return 0;
}

}  // namespace

int main() {
  const at::Tensor product = at::matmul(at::ones({64, 64}), at::ones({64, 64}));
  if (product.data_ptr<float>()[64 * 64 - 1] != 64.0f) return 1;
  dl_iterate_phdr(print_path, nullptr);
}
