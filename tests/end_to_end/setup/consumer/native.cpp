// Only the shape of the library is under test here, so the entry is not a real one.
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

inline int& shared_static() {
  static int value = 0;
  return value;
}

extern "C" {
__attribute__((visibility("default"))) extern const int perrin_entry;
const int perrin_entry = 1;
long helper() { return at::ones({3}).numel() + shared_static()++; }
}
