# cmake --install, into the folders of GNUInstallDirs. Nothing in it names a folder of this machine, so that it may be
# moved: its programs find LibTorch by the rule of ./perrin (docs/decisions/relocatable.md).
include(CMakePackageConfigHelpers)
file(RELATIVE_PATH libraries ${CMAKE_INSTALL_FULL_LIBEXECDIR}/perrin ${CMAKE_INSTALL_FULL_LIBDIR}/perrin)
set_target_properties(perrin-engine perrin-probe PROPERTIES
  INSTALL_RPATH "$ORIGIN/${libraries}/libtorch/torch/lib;$ORIGIN/${libraries}/libtorch/lib")
install(TARGETS perrin)
install(TARGETS perrin-engine perrin-probe RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/perrin)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/experiments DESTINATION ${CMAKE_INSTALL_DATADIR}/perrin)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/sdk/examples TYPE DOC)
foreach(file LICENSE README.md CHANGELOG.md CITATION.cff CONTRIBUTING.md SECURITY.md)
  install(FILES ${PROJECT_SOURCE_DIR}/${file} TYPE DOC)
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/include/perrin TYPE INCLUDE)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Perrin)
set_target_properties(perrin_sdk PROPERTIES EXPORT_NAME sdk)
install(TARGETS perrin_sdk EXPORT PerrinTargets)
install(EXPORT PerrinTargets NAMESPACE Perrin:: DESTINATION ${package})
set(torch_beside ${CMAKE_INSTALL_LIBDIR}/perrin/libtorch)
configure_package_config_file(${PROJECT_SOURCE_DIR}/sdk/cmake/PerrinConfig.cmake.in
  ${PROJECT_BINARY_DIR}/PerrinConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS PERRIN_PLUGIN_DESTINATION torch_beside)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/PerrinConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)  # while it is 0.x: a minor version may change what a plugin is compiled against
install(FILES
  ${PROJECT_BINARY_DIR}/PerrinConfig.cmake ${PROJECT_BINARY_DIR}/PerrinConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/sdk/cmake/PerrinTorch.cmake ${PROJECT_SOURCE_DIR}/sdk/cmake/PerrinPlugin.cmake
  ${PROJECT_SOURCE_DIR}/sdk/cmake/perrin-plugin.map
  DESTINATION ${package})
