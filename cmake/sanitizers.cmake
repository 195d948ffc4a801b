# MEMCOORD_SANITIZE is empty, "address,undefined" or "thread"; the presets set it.
set(MEMCOORD_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(MEMCOORD_SANITIZE)
  add_compile_options(-fsanitize=${MEMCOORD_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MEMCOORD_SANITIZE})
endif()
# Shows fuzzers which paths an input takes through the code under test.
if(MEMCOORD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
