# Imported targets for LibTorch's CPU half, by hand: find_package(Torch) on a CUDA build demands the CUDA toolkit.
# Input: PERRIN_LIBTORCH (cache or environment), a folder that holds torch/lib or lib.
# Output: torch::cpu (ATen and autograd; also torch/torch.h), Perrin::torch (that and the SDK, for tier B plugins),
# PERRIN_TORCH_ROOT (the folder that holds lib).
if(NOT PERRIN_LIBTORCH AND DEFINED ENV{PERRIN_LIBTORCH})
  set(PERRIN_LIBTORCH $ENV{PERRIN_LIBTORCH} CACHE PATH "LibTorch, or an installed Python torch" FORCE)
endif()
set(PERRIN_LIBTORCH "${PERRIN_LIBTORCH}" CACHE PATH "LibTorch, or an installed Python torch")

# Looked for in every configure: a cached answer would outlive a change of PERRIN_LIBTORCH.
unset(PERRIN_TORCH_ROOT CACHE)
unset(PERRIN_TORCH_ROOT)
foreach(folder ${PERRIN_LIBTORCH}/torch ${PERRIN_LIBTORCH})
  if(EXISTS ${folder}/lib/libtorch_cpu.so)
    set(PERRIN_TORCH_ROOT ${folder})
    break()
  elseif(EXISTS ${folder}/lib/libtorch_cpu.a)
    message(FATAL_ERROR "${folder} holds a static LibTorch. The host and a plugin would each have an operator registry "
                        "of their own: set PERRIN_LIBTORCH to a shared one.")
  endif()
endforeach()
if(NOT PERRIN_TORCH_ROOT)
  message(FATAL_ERROR "PERRIN_LIBTORCH is \"${PERRIN_LIBTORCH}\": no lib/libtorch_cpu.so and no torch/lib/libtorch_cpu.so "
                      "there. `./perrin setup` fetches a LibTorch and prints its folder.")
endif()

if(NOT TARGET torch::cpu)
  add_library(torch::c10 SHARED IMPORTED GLOBAL)
  set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION ${PERRIN_TORCH_ROOT}/lib/libc10.so)
  add_library(torch::cpu SHARED IMPORTED GLOBAL)
  set_target_properties(torch::cpu PROPERTIES
    IMPORTED_LOCATION ${PERRIN_TORCH_ROOT}/lib/libtorch_cpu.so
    INTERFACE_INCLUDE_DIRECTORIES
      "${PERRIN_TORCH_ROOT}/include;${PERRIN_TORCH_ROOT}/include/torch/csrc/api/include"
    INTERFACE_LINK_LIBRARIES torch::c10)
  add_library(Perrin::torch INTERFACE IMPORTED GLOBAL)
  set_target_properties(Perrin::torch PROPERTIES INTERFACE_LINK_LIBRARIES "Perrin::sdk;torch::cpu")
endif()
