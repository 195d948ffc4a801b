# Warnings are errors in all of memcoord's targets; a package's build, whose compiler may have other warnings,
# turns that off.
option(MEMCOORD_WERROR "Warnings are errors" ON)
add_library(memcoord_warnings INTERFACE)
target_compile_options(memcoord_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(MEMCOORD_WERROR)
  target_compile_options(memcoord_warnings INTERFACE -Werror)
endif()
# At -O3, GCC 12 wrongly warns of overlapping copies in std::string's operator+ (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(memcoord_warnings INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()

# In a batch, the file that defines a class is not the main file, so GCC warns of members whose types are
# in an unnamed namespace.
if(MEMCOORD_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(memcoord_warnings INTERFACE -Wno-subobject-linkage)
endif()

# memcoord_unity(TARGET): with MEMCOORD_UNITY, compiles the target's sources in batches. A batch parses
# each header and instantiates each template once.
function(memcoord_unity name)
  if(MEMCOORD_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON
                                             UNITY_BUILD_BATCH_SIZE ${MEMCOORD_UNITY_BATCH})
  endif()
endfunction()

# memcoord_library(NAME SOURCES...): adds a static library. Sources include headers by their path from
# the repository's top: "engine/core/guard.h".
function(memcoord_library name)
  add_library(${name} STATIC ${ARGN})
  memcoord_unity(${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE memcoord_warnings)
endfunction()
