# Imported targets for LibTorch's CPU half, by hand: find_package(Torch) on a CUDA build demands the CUDA toolkit.
# Looked for where ./perrin looks, in a folder that holds torch/lib or lib: PERRIN_LIBTORCH (cache or environment); else
# PERRIN_TORCH_BESIDE, what an installation brings; else libtorch-PERRIN_TORCH_WANTED in ./perrin's cache.
# Output: torch::cpu (ATen and autograd; also torch/torch.h), Perrin::torch (that and the SDK, for tier B plugins),
# PERRIN_TORCH_ROOT (the folder that holds lib), PERRIN_TORCH_VERSION.
if(NOT PERRIN_LIBTORCH AND DEFINED ENV{PERRIN_LIBTORCH})
  set(PERRIN_LIBTORCH $ENV{PERRIN_LIBTORCH} CACHE PATH "LibTorch, or an installed Python torch" FORCE)
endif()
set(PERRIN_LIBTORCH "${PERRIN_LIBTORCH}" CACHE PATH "LibTorch, or an installed Python torch")

# perrin_cached_torch(RESULT): where ./perrin setup puts LibTorch.
function(perrin_cached_torch result)
  set(cache $ENV{PERRIN_CACHE})
  if(NOT cache AND "$ENV{XDG_CACHE_HOME}" MATCHES "^/")
    set(cache $ENV{XDG_CACHE_HOME}/perrin)
  elseif(NOT cache)
    set(cache $ENV{HOME}/.cache/perrin)
  endif()
  set(${result} ${cache}/libtorch-${PERRIN_TORCH_WANTED} PARENT_SCOPE)
endfunction()

# Looked for in every configure: a cached answer would outlive a change of PERRIN_LIBTORCH.
unset(PERRIN_TORCH_ROOT CACHE)
unset(PERRIN_TORCH_ROOT)
perrin_cached_torch(perrin_torch_places)
list(PREPEND perrin_torch_places ${PERRIN_TORCH_BESIDE})
if(PERRIN_LIBTORCH)
  set(perrin_torch_places ${PERRIN_LIBTORCH})
endif()
list(TRANSFORM perrin_torch_places REPLACE "(.+)" "\\1/torch;\\1")
foreach(folder ${perrin_torch_places})
  if(EXISTS ${folder}/lib/libtorch_cpu.so)
    set(PERRIN_TORCH_ROOT ${folder})
    break()
  elseif(EXISTS ${folder}/lib/libtorch_cpu.a)
    message(FATAL_ERROR "${folder} holds a static LibTorch. The host and a plugin would each have an operator registry "
                        "of their own: set PERRIN_LIBTORCH to a shared one.")
  endif()
endforeach()
if(NOT PERRIN_TORCH_ROOT)
  list(JOIN perrin_torch_places ", " perrin_torch_places)
  message(FATAL_ERROR "PERRIN_LIBTORCH is \"${PERRIN_LIBTORCH}\": no lib/libtorch_cpu.so in ${perrin_torch_places}. "
                      "`./perrin setup` fetches a LibTorch and prints its folder.")
endif()

# perrin_torch_version(RESULT): TORCH_VERSION, from the header that has its numbers.
function(perrin_torch_version result)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${PERRIN_TORCH_ROOT}/include/${header})
      file(READ ${PERRIN_TORCH_ROOT}/include/${header} text)
      if(text MATCHES "define TORCH_VERSION_MAJOR ([0-9]+).*_MINOR ([0-9]+).*_PATCH ([0-9]+)")
        set(${result} ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3} PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
  message(FATAL_ERROR "${PERRIN_TORCH_ROOT}/include says no TORCH_VERSION")
endfunction()
perrin_torch_version(PERRIN_TORCH_VERSION)

# perrin_torch_cuda_major(RESULT): of the CUDA runtime that LibTorch's CUDA half is linked with; 0 where it has none.
function(perrin_torch_cuda_major result)
  set(${result} 0 PARENT_SCOPE)
  set(library ${PERRIN_TORCH_ROOT}/lib/libc10_cuda.so)
  if(EXISTS ${library})
    file(STRINGS ${library} names REGEX "^libcudart[-0-9a-f]*\\.so\\.[0-9]+")
    if(NOT names MATCHES "\\.so\\.([0-9]+)")
      message(FATAL_ERROR "${library} does not name the CUDA runtime that it needs (libcudart.so.N): a native plugin's "
                          "fingerprint could not tell its CUDA version")
    endif()
    set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
  endif()
endfunction()

if(NOT TARGET torch::cpu)
  perrin_torch_cuda_major(cuda_major)
  add_library(torch::c10 SHARED IMPORTED GLOBAL)
  set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION ${PERRIN_TORCH_ROOT}/lib/libc10.so)
  add_library(torch::cpu SHARED IMPORTED GLOBAL)
  # LibTorch's headers write their own path into what they check: without the machine's part of it.
  set_target_properties(torch::cpu PROPERTIES
    IMPORTED_LOCATION ${PERRIN_TORCH_ROOT}/lib/libtorch_cpu.so
    INTERFACE_INCLUDE_DIRECTORIES
      "${PERRIN_TORCH_ROOT}/include;${PERRIN_TORCH_ROOT}/include/torch/csrc/api/include"
    INTERFACE_COMPILE_DEFINITIONS PERRIN_TORCH_CUDA_MAJOR=${cuda_major}
    INTERFACE_COMPILE_OPTIONS -fmacro-prefix-map=${PERRIN_TORCH_ROOT}/=libtorch/
    INTERFACE_LINK_LIBRARIES torch::c10)
  add_library(Perrin::torch INTERFACE IMPORTED GLOBAL)
  set_target_properties(Perrin::torch PROPERTIES INTERFACE_LINK_LIBRARIES "Perrin::sdk;torch::cpu")
endif()
