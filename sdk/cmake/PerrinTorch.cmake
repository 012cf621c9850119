# Imported targets for LibTorch's CPU half, by hand: find_package(Torch) on a CUDA build demands the CUDA toolkit.
# Input: PERRIN_LIBTORCH (cache or environment), a folder that holds torch/lib or lib.
# Output: torch::cpu (ATen and autograd; also torch/torch.h).
if(NOT DEFINED PERRIN_LIBTORCH AND DEFINED ENV{PERRIN_LIBTORCH})
  set(PERRIN_LIBTORCH $ENV{PERRIN_LIBTORCH})
endif()
set(PERRIN_LIBTORCH "${PERRIN_LIBTORCH}" CACHE PATH "LibTorch, or an installed Python torch")
find_path(PERRIN_TORCH_ROOT lib/libtorch_cpu.so HINTS ${PERRIN_LIBTORCH} ${PERRIN_LIBTORCH}/torch
          NO_DEFAULT_PATH REQUIRED)
add_library(torch::c10 SHARED IMPORTED GLOBAL)
set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION ${PERRIN_TORCH_ROOT}/lib/libc10.so)
add_library(torch::cpu SHARED IMPORTED GLOBAL)
set_target_properties(torch::cpu PROPERTIES
  IMPORTED_LOCATION ${PERRIN_TORCH_ROOT}/lib/libtorch_cpu.so
  INTERFACE_INCLUDE_DIRECTORIES
    "${PERRIN_TORCH_ROOT}/include;${PERRIN_TORCH_ROOT}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES torch::c10)
