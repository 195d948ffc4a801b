# memcoord_embedded_library(NAME HEADER NAMESPACE FILE...) adds a library that has files of the current
# folder as constants, which HEADER declares in NAMESPACE (embed_files.cmake).
#
# A library of its own is built before the sources that link it.
function(memcoord_embedded_library name header namespace)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  list(JOIN files "," list)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${source} -DFILES=${list} -DHEADER=${header}
            -DNAMESPACE=${namespace} -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake VERBATIM)
  memcoord_library(${name} ${source})
endfunction()
