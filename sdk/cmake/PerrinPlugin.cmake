# perrin_add_plugin(NAME [TIER_B] SOURCES FILE...): the loadable library NAME.so, built and installed the way Perrin
# expects a plugin: no "lib" prefix, one exported symbol (perrin_entry), no undefined symbols.
# A tier A plugin gets the SDK's headers alone; one in C needs no C++ library. TIER_B adds the shared LibTorch.
# Installed to PERRIN_PLUGIN_DESTINATION (lib/perrin/plugins: where a Perrin in the same prefix looks), unless
# PERRIN_INSTALL_PLUGINS is off. What is installed names no folder of this machine: Perrin has loaded LibTorch already.
function(perrin_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 PLUGIN "TIER_B" "" "SOURCES")
  if(PLUGIN_UNPARSED_ARGUMENTS OR NOT PLUGIN_SOURCES)
    message(FATAL_ERROR "perrin_add_plugin(${name}): expected [TIER_B] SOURCES FILE..., got ${ARGN}")
  endif()
  set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/perrin-plugin.map)
  add_library(${name} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(${name} PRIVATE Perrin::sdk)
  if(PLUGIN_TIER_B)
    if(NOT TARGET Perrin::torch)
      message(FATAL_ERROR "perrin_add_plugin(${name} TIER_B) needs find_package(Perrin COMPONENTS torch)")
    endif()
    target_link_libraries(${name} PRIVATE Perrin::torch)
  endif()
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,--as-needed -Wl,--version-script=${exports})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX .so
    C_STANDARD 11 C_STANDARD_REQUIRED ON CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${exports})
  if(NOT DEFINED PERRIN_INSTALL_PLUGINS OR PERRIN_INSTALL_PLUGINS)
    install(TARGETS ${name} LIBRARY DESTINATION ${PERRIN_PLUGIN_DESTINATION})
  endif()
endfunction()
