#include "engine/cli/report.h"

#include <algorithm>
#include <iostream>

namespace memcoord::cli {

void report(const Error& error) {
  std::string line = error.text();
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  std::cerr << "memcoord: " << line << '\n';
  if (!error.detail.empty()) std::cerr << error.detail << '\n';
}

ExitCode exit_code_for(const Error& error) {
  const bool input = error.code == ErrorCode::invalid_input || error.code == ErrorCode::not_found ||
                     error.code == ErrorCode::unsupported;
  return input ? ExitCode::bad_usage : ExitCode::failed;
}

}  // namespace memcoord::cli
