# Warnings are errors, in every target that is ours.
add_library(memcoord_warnings INTERFACE)
target_compile_options(memcoord_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
# GCC 12 finds overlapping copies in std::string's operator+ at -O3 where there are none (its bug
# 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(memcoord_warnings INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()

# memcoord_library(NAME SOURCES... ) makes a static library of the house: its headers are
# included by their path from the top of the tree ("engine/core/guard.h").
function(memcoord_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE memcoord_warnings)
endfunction()
