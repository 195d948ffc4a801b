#include "engine/cli/report.h"

#include <sstream>

#include "engine/cli/terminal.h"

namespace memcoord::cli {

void report(const Error& error) {
  TextOut out = standard_error();
  out << "memcoord: " << error.text() << '\n';
  std::istringstream detail(error.detail);
  for (std::string line; std::getline(detail, line);) {
    const std::size_t indent = line.starts_with('\t') ? 1 : 0;
    if (indent > 0) out << '\t';
    out << std::string_view(line).substr(indent) << '\n';
  }
}

ExitCode exit_code_for(const Error& error) {
  const bool input = error.code == ErrorCode::invalid_input || error.code == ErrorCode::not_found ||
                     error.code == ErrorCode::unsupported;
  return input ? ExitCode::bad_usage : ExitCode::failed;
}

}  // namespace memcoord::cli
