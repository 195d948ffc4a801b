#pragma once
// What memcoord says about a command line that it refuses.

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/cli/process.h"

namespace memcoord::testing {

/// The one line of a refused command line, without "memcoord: " and the line end.
inline std::string refusal(const std::vector<std::string>& arguments, int exit_code = 2) {
  const Finished run = run_memcoord(arguments);
  CAPTURE(run.errors);
  CHECK(run.exit_code == exit_code);
  CHECK(run.output.empty());
  constexpr std::string_view kProgram = "memcoord: ";
  REQUIRE(run.errors.starts_with(kProgram));
  REQUIRE(run.errors.ends_with('\n'));
  return run.errors.substr(kProgram.size(), run.errors.size() - kProgram.size() - 1);
}

}  // namespace memcoord::testing
