# Read by CPack for each generator: which components go into its package, and where to.
if(CPACK_GENERATOR STREQUAL "DEB")
  set(CPACK_COMPONENTS_ALL program debian)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
else()
  set(CPACK_COMPONENTS_ALL program plain)
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON) # for a .deb it would be a directory in /
  set(CPACK_PACKAGE_FILE_NAME ${CPACK_ARCHIVE_FILE_NAME})
endif()
