# perrin_precompile(): every target of this project that reads LibTorch's headers reads them precompiled, which takes
# 5 of a source's 8 seconds. A source still includes all that it uses: PERRIN_PRECOMPILE=OFF builds without, and so does
# a plugin of another repository.
option(PERRIN_PRECOMPILE "precompile LibTorch's headers" ON)
set(PERRIN_PRECOMPILED_HEADERS
  <ATen/core/Tensor.h> <ATen/TensorOperators.h> <ATen/core/grad_mode.h> <ATen/Parallel.h>
  <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <utility> <variant> <vector>)

# perrin_reads_torch(TARGET RESULT): whether torch::cpu is among the libraries that TARGET's sources see.
function(perrin_reads_torch target result)
  set(${result} OFF PARENT_SCOPE)
  get_target_property(libraries ${target} LINK_LIBRARIES)
  while(libraries)
    list(POP_FRONT libraries library)
    list(APPEND seen ${library})
    if(library STREQUAL torch::cpu)
      set(${result} ON PARENT_SCOPE)
      return()
    elseif(TARGET ${library})
      get_target_property(further ${library} INTERFACE_LINK_LIBRARIES)
      list(APPEND libraries ${further})
      list(REMOVE_ITEM libraries ${seen} further-NOTFOUND)
    endif()
  endwhile()
endfunction()

# One set of precompiled headers for the host and tests, one for plugins, whose symbols are hidden.
function(perrin_precompile)
  if(NOT PERRIN_PRECOMPILE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    return()
  endif()
  foreach(part host plugin)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled_${part}.cpp CONTENT "// Holds the headers.\n")  # kept if equal
    add_library(perrin_precompiled_${part} OBJECT ${PROJECT_BINARY_DIR}/precompiled_${part}.cpp)
    target_link_libraries(perrin_precompiled_${part} PRIVATE torch::cpu)
    target_precompile_headers(perrin_precompiled_${part} PRIVATE ${PERRIN_PRECOMPILED_HEADERS})
  endforeach()
  set_target_properties(perrin_precompiled_plugin PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(perrin_precompiled_plugin PRIVATE -fno-gnu-unique)
  perrin_precompile_folder(${PROJECT_SOURCE_DIR})
endfunction()

function(perrin_precompile_folder folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    get_target_property(options ${target} COMPILE_OPTIONS)
    if(target MATCHES "^perrin_precompiled_" OR NOT type MATCHES "LIBRARY|EXECUTABLE" OR type STREQUAL INTERFACE_LIBRARY
       OR "${options}" MATCHES "-ffp-contract")
      continue()
    endif()
    perrin_reads_torch(${target} torch)
    if(NOT torch)
      continue()
    endif()
    get_target_property(visibility ${target} CXX_VISIBILITY_PRESET)
    if(visibility STREQUAL hidden)
      target_precompile_headers(${target} REUSE_FROM perrin_precompiled_plugin)
    else()
      target_precompile_headers(${target} REUSE_FROM perrin_precompiled_host)
      target_compile_options(${target} PRIVATE -fPIC)  # -fPIE of a program would not match
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(inner ${folders})
    perrin_precompile_folder(${inner})
  endforeach()
endfunction()
