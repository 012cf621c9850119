# Warnings of this project's own targets, those of a project around it untouched. Errors where .ci/run builds, so that a
# newer compiler's new warning stops nobody else. (CMAKE_COMPILE_WARNING_AS_ERROR needs CMake 3.24.)
option(PERRIN_WERROR "a warning stops the build" OFF)
add_compile_options(-Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)  # g++ 12 warns of its own operator+ (GCC bug 105651)
endif()
if(PERRIN_WERROR)
  # But for what the optimiser only guesses: it warns of g++ 12's own headers, differently with each set of flags.
  add_compile_options(-Werror -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=array-bounds
    -Wno-error=free-nonheap-object)
endif()
