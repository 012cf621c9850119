# cmake --install: bin/, include/perrin, lib/cmake/Perrin, lib/perrin/plugins, share/perrin/experiments.
include(CMakePackageConfigHelpers)
foreach(program perrin perrin-engine perrin-probe)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION bin)
  endif()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/include/perrin DESTINATION include)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/experiments DESTINATION share/perrin)

set_target_properties(perrin_sdk PROPERTIES EXPORT_NAME sdk)
install(TARGETS perrin_sdk EXPORT PerrinTargets)
install(EXPORT PerrinTargets NAMESPACE Perrin:: DESTINATION lib/cmake/Perrin)

set(PERRIN_PLUGIN_DIR lib/perrin/plugins)
configure_package_config_file(${PROJECT_SOURCE_DIR}/sdk/cmake/PerrinConfig.cmake.in
  ${PROJECT_BINARY_DIR}/PerrinConfig.cmake INSTALL_DESTINATION lib/cmake/Perrin PATH_VARS PERRIN_PLUGIN_DIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/PerrinConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/PerrinConfig.cmake ${PROJECT_BINARY_DIR}/PerrinConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/sdk/cmake/PerrinTorch.cmake ${PROJECT_SOURCE_DIR}/sdk/cmake/PerrinPlugin.cmake
  ${PROJECT_SOURCE_DIR}/sdk/cmake/perrin-plugin.map
  DESTINATION lib/cmake/Perrin)
