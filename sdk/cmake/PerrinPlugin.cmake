# perrin_add_plugin(NAME [TIER_B] SOURCES FILE...): the loadable library NAME.so, built and installed the way Perrin
# expects a plugin: no "lib" prefix, one exported symbol (perrin_entry), no undefined symbols.
# A tier A plugin gets the SDK's headers alone; one in C needs no C++ library. TIER_B adds the shared LibTorch.
# Installed to lib/perrin/plugins, unless PERRIN_INSTALL_PLUGINS is off.
set(PERRIN_PLUGIN_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/perrin-plugin.map)

function(perrin_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 PLUGIN "TIER_B" "" "SOURCES")
  if(PLUGIN_UNPARSED_ARGUMENTS OR NOT PLUGIN_SOURCES)
    message(FATAL_ERROR "perrin_add_plugin(${name}): expected [TIER_B] SOURCES FILE..., got ${ARGN}")
  endif()
  add_library(${name} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(${name} PRIVATE Perrin::sdk)
  if(PLUGIN_TIER_B)
    if(NOT TARGET Perrin::torch)
      message(FATAL_ERROR "perrin_add_plugin(${name} TIER_B) needs find_package(Perrin COMPONENTS torch)")
    endif()
    target_link_libraries(${name} PRIVATE Perrin::torch)
  endif()
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,--as-needed -Wl,--version-script=${PERRIN_PLUGIN_EXPORTS})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX .so
    C_STANDARD 11 C_STANDARD_REQUIRED ON CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    INSTALL_RPATH_USE_LINK_PATH ON
    LINK_DEPENDS ${PERRIN_PLUGIN_EXPORTS})
  if(NOT DEFINED PERRIN_INSTALL_PLUGINS OR PERRIN_INSTALL_PLUGINS)
    install(TARGETS ${name} LIBRARY DESTINATION lib/perrin/plugins)
  endif()
endfunction()
