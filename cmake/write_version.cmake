# cmake -DTEMPLATE=version.cpp.in -DOUTPUT=version.cpp -DRELEASE=0.2.0 -DCHANGELOG=CHANGELOG.md -DPACKAGE="Debian 0.2.0-1"
#       -DDATA=/usr/share/memcoord -DSOURCE=folder -P write_version.cmake
# Writes the source that holds the program's version (engine/cli/version.h). Git is asked only for a tree that it
# keeps, and not for a package, so that equal sources give equal programs.

# describe(RESULT): "12.gabc1234", "gabc1234" without a tag; empty at the tag and without git.
function(describe result)
  set(${result} "" PARENT_SCOPE)
  # A tree that was unpacked inside another repository has no commit of its own.
  execute_process(COMMAND git -C ${SOURCE} rev-parse --show-toplevel
                  OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR NOT top STREQUAL SOURCE)
    return()
  endif()
  execute_process(COMMAND git -C ${SOURCE} describe --tags --match v${RELEASE} --always --long --dirty=.dirty
                  OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR said STREQUAL "")
    return()
  endif()
  if(said MATCHES "^v${RELEASE}-([0-9]+)-(g[0-9a-f]+)(.*)$")
    if("${CMAKE_MATCH_1}${CMAKE_MATCH_3}" STREQUAL "0")
      return()
    endif()
    set(${result} "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}${CMAKE_MATCH_3}" PARENT_SCOPE)
  else()
    set(${result} "g${said}" PARENT_SCOPE)
  endif()
endfunction()

set(VERSION ${RELEASE})
if(PACKAGE STREQUAL "")
  describe(commit)
  if(commit)
    string(APPEND VERSION "+${commit}")
  endif()
endif()
file(STRINGS ${CHANGELOG} heading REGEX "^## ${RELEASE} - [0-9-]+$")
if(NOT heading)
  message(FATAL_ERROR "${CHANGELOG}: no heading '## ${RELEASE} - YEAR-MONTH-DAY'")
endif()
string(REGEX REPLACE "^## .* - " "" RELEASE_DAY "${heading}")
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
