# The page of --format=html: our own files and d3's modules, put together into what stands before and behind the data.
# d3 is Debian 12's, each file by its checksum, so that a page is the same wherever rdbmem was built.

set(PAGE_D3_DIR /usr/share/nodejs CACHE PATH "where d3-*/dist/d3-*.min.js are")
option(RDBMEM_PAGE "have --format=html, which needs d3 (Debian: node-d3-*)" ON)

# In the order in which they need each other.
set(PAGE_D3
    d3-array:38fa9a30215bf28518f58ef65f4483b6a86c93d8b3bcea237098a231d383e338
    d3-collection:8b04ec3c214f92db9090bbb83fa400c50ad938a517d7d225162bb9039ba5d271
    d3-color:d75adffab5e3886b6238449618525684d7bb9c8883d3d43f22b9ed79901df140
    d3-format:d617c37a7eae05ea50ba680a531811eb15d565acc38d0bbb500c0e5edb6238ad
    d3-interpolate:4bf431cf7ed040cfbf1ea2503f3cafbc14e6e5845fdd97f69939e9be8af5ebe2
    d3-time:3caee6185c1700fa6cad62a43b95ce2bb54bedaa81bd91ce5159fc8cc238a547
    d3-time-format:8b882c80565167079ec843f153d139e39e2a337dff0ce0008a3d1748d84c5d34
    d3-path:da49875ab91d3dd3a0efdcc213ce849830bb7a8c68b22450ad6f62e0f9ffb0c0
    d3-scale:0384c30e5277ca57b7ad33d7f3de19f5736be5a3dd016663be2a3e70062081b0
    d3-shape:26fa71335742af8bc088f80c1aa44353ca3e6392900059e1de8647772b32690f
    d3-selection:7d889d26dd0c72dfabcde2ba129dc87c008eb032c9af0d35f7fd154630682c2e
    d3-axis:7786477a80625b2458c62cce5341dfa876522ee843c43ea838bef348b5eefb51
    d3-hierarchy:b0ce3e6fa7f28cfaa5c7d5c8d51e5643df4cac0474f44b6ca32162a1da2c8b99)

# Our own, in the order in which they need each other.
set(PAGE_SCRIPTS base words verdicts charts treemap ledger forecast keys shards main)

# Adds the page to the library `target`.
function(rdbmem_page target)
  if(NOT RDBMEM_PAGE)
    target_compile_definitions(${target} PRIVATE RDBMEM_NO_PAGE)
    return()
  endif()
  set(room ${PROJECT_SOURCE_DIR}/report/page)
  set(made ${PROJECT_BINARY_DIR}/page)
  set(advice "scripts/setup.sh build installs Debian 12's; -DRDBMEM_PAGE=OFF builds without --format=html")
  foreach(module ${PAGE_D3})
    string(REGEX MATCH "^[^:]+" name ${module})
    string(REGEX MATCH "[^:]+$" expected ${module})
    set(file ${PAGE_D3_DIR}/${name}/dist/${name}.min.js)
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "the page needs ${file}: ${advice}")
    endif()
    file(SHA256 ${file} sum)
    if(NOT sum STREQUAL expected)
      message(FATAL_ERROR "${file} is not the version that the page was made with: ${advice}")
    endif()
    list(APPEND scripts ${file})
  endforeach()
  foreach(name ${PAGE_SCRIPTS})
    list(APPEND own ${room}/${name}.js)
  endforeach()
  set(inputs ${room}/page.html ${room}/page.css ${room}/d3-licence.txt ${scripts} ${own})
  add_custom_command(
    OUTPUT ${made}/head.html ${made}/tail.html
    COMMAND bash ${room}/assemble.sh ${made} ${room} ${scripts} -- ${own}
    DEPENDS ${inputs} ${room}/assemble.sh
    COMMENT "Putting the page together"
    VERBATIM)
  set(source ${room}/embed.S)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${made}/head.html;${made}/tail.html"
                              INCLUDE_DIRECTORIES ${made} COMPILE_OPTIONS "-Wa,-I,${made}")
  target_sources(${target} PRIVATE ${source})
endfunction()
