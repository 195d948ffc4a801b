#include "engine/cli/report.h"

#include <iostream>
#include <sstream>

#include "engine/core/printable.h"

namespace memcoord::cli {

void report(const Error& error) {
  std::cerr << "memcoord: " << printable(error.text()) << '\n';
  std::istringstream detail(error.detail);
  for (std::string line; std::getline(detail, line);) {
    const std::size_t indent = line.starts_with('\t') ? 1 : 0;
    std::cerr << line.substr(0, indent) << printable(line.substr(indent)) << '\n';
  }
}

ExitCode exit_code_for(const Error& error) {
  const bool input = error.code == ErrorCode::invalid_input || error.code == ErrorCode::not_found ||
                     error.code == ErrorCode::unsupported;
  return input ? ExitCode::bad_usage : ExitCode::failed;
}

}  // namespace memcoord::cli
