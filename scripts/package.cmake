# What is installed, and the packages that CPack makes of it (scripts/package.sh).
#
# Components: program is the same everywhere; plain are the pages where make install puts them; debian is what a .deb has
# in their place and besides, and is installed into nothing else.
include(GNUInstallDirs)
add_subdirectory(${PROJECT_SOURCE_DIR}/report/pages ${CMAKE_BINARY_DIR}/report/pages)
set(RDBMEM_MAINTAINER "rdbmem contributors <maintainers@rdbmem.example>" CACHE STRING "whom a package names")

set(share ${CMAKE_BINARY_DIR}/share)
install(TARGETS rdbmem COMPONENT program)
install(FILES ${share}/bash-completion/completions/rdbmem
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${share}/fish/vendor_completions.d/rdbmem.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
install(FILES ${share}/man/man1/rdbmem.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT plain)
install(FILES ${share}/zsh/site-functions/_rdbmem
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT plain)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT plain)

# Target debian: pages packed, and zsh's completion where Debian's zsh looks for those of packages.
set(debian ${CMAKE_BINARY_DIR}/debian)
add_custom_target(debian DEPENDS pages COMMAND ${PROJECT_SOURCE_DIR}/scripts/debian_files.sh ${CMAKE_BINARY_DIR}
                  ${PROJECT_VERSION} ${RDBMEM_MAINTAINER} VERBATIM)
install(FILES ${debian}/rdbmem.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${share}/zsh/site-functions/_rdbmem
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/copyright ${debian}/changelog.gz
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/rdbmem COMPONENT debian EXCLUDE_FROM_ALL)

# ---------------------------------------------------------------- CPack: -G DEB, and -G TGZ for the static program

set(CPACK_PACKAGE_CONTACT ${RDBMEM_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "memory report of a Redis or Valkey dump")
set(CPACK_PACKAGE_DESCRIPTION
"rdbmem reads a dump (RDB) of Redis or Valkey as a stream and reports what each
key costs in the server's memory, to the byte, and what used_memory will be
once a server has loaded it. No server is asked. Reports are text, JSON, CSV,
NDJSON, SQLite and metrics for Prometheus; rules about big keys and memory
make it a check for cron jobs and CI.")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libjemalloc2) # --rebuild loads it

set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_ARCHIVE_FILE_NAME rdbmem-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR}-static)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/scripts/package_generator.cmake)
include(CPack)
