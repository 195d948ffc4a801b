#pragma once
// The built program as its users meet it: started with arguments, read, signalled, waited for.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/observers/json.h"

namespace memcoord::testing {

/// What a finished process left behind.
struct Finished {
  int exit_code = -1;  ///< 128 + the signal's number where one ended it
  std::string output;
  std::string errors;
};

/// One run of a program. Its standard input is empty; its output is collected as it comes. A test
/// that ends earlier than its process kills it.
class Process {
 public:
  using Environment = std::map<std::string, std::string>;  ///< changes; an empty value unsets

  /// Throws std::runtime_error where it cannot be started.
  explicit Process(std::vector<std::string> command, const Environment& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits until the text stands in what was written so far (output or errors); false where the
  /// process ends, or a minute passes, without it.
  bool wait_for_output(std::string_view text);
  bool wait_for_errors(std::string_view text);
  /// Closes the reading end of its output, as `| head` does.
  void close_output();
  /// Waits for the end; kills it after a minute, which then shows in the exit code.
  Finished finish();

 private:
  bool read_some(std::chrono::steady_clock::time_point deadline);
  bool wait_for(const std::string& stream, std::string_view text);

  pid_t pid_ = -1;
  int output_fd_ = -1;
  int errors_fd_ = -1;
  Finished finished_;
};

/// Runs memcoord to its end.
Finished run_memcoord(std::vector<std::string> arguments,
                      const Process::Environment& environment = {});
/// The JSON that a run printed; throws where it is none.
inline observers::Json json_of(const Finished& run) {
  return observers::Json::parse(run.output).value();
}
/// The command line of memcoord with these arguments.
std::vector<std::string> memcoord_command(std::vector<std::string> arguments);

}  // namespace memcoord::testing
