# Warnings are errors, in every target that is ours.
add_library(memcoord_warnings INTERFACE)
target_compile_options(memcoord_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
# GCC 12 finds overlapping copies in std::string's operator+ at -O3 where there are none (its bug
# 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(memcoord_warnings INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()

# In a batch the file that defines a class is not the main file, so GCC cannot tell that its members'
# unnamed types stay within it.
if(MEMCOORD_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(memcoord_warnings INTERFACE -Wno-subobject-linkage)
endif()

# memcoord_unity(TARGET): where MEMCOORD_UNITY is set, compiles the target's sources in batches. A batch
# parses each header and instantiates each template once.
function(memcoord_unity name)
  if(MEMCOORD_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON
                                             UNITY_BUILD_BATCH_SIZE ${MEMCOORD_UNITY_BATCH})
  endif()
endfunction()

# memcoord_library(NAME SOURCES... ) makes a static library of the house: its headers are
# included by their path from the top of the tree ("engine/core/guard.h").
function(memcoord_library name)
  add_library(${name} STATIC ${ARGN})
  memcoord_unity(${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE memcoord_warnings)
endfunction()
