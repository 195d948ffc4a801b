#pragma once
// The built program as a process: start it with arguments, read its output, signal it, wait for it.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/observers/json.h"

namespace memcoord::testing {

/// The result of a finished process.
struct Finished {
  int exit_code = -1;  ///< 128 + the signal's number if a signal ended it
  std::string output;
  std::string errors;
};

/// One run of a program, with an empty standard input. The destructor kills a process that still
/// runs.
class Process {
 public:
  using Environment = std::map<std::string, std::string>;  ///< changes; an empty value unsets

  /// Throws std::runtime_error if the program cannot be started.
  explicit Process(std::vector<std::string> command, const Environment& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits until the output (or the errors) contain the text; returns false if the process ends or
  /// two minutes pass before.
  bool wait_for_output(std::string_view text);
  bool wait_for_errors(std::string_view text);
  /// Closes the reading end of its output, like `| head`.
  void close_output();
  /// Waits for the end; kills the process after two minutes, which the exit code shows.
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
/// The JSON that a run printed; throws if the output is not JSON.
inline observers::Json json_of(const Finished& run) {
  return observers::Json::parse(run.output).value();
}
/// The command line of memcoord with these arguments.
std::vector<std::string> memcoord_command(std::vector<std::string> arguments);
/// Starts a run of memcoord that serves the free port which it sets before it asks for the run's
/// arguments, and waits for its first tick. Another program may take the port first: it tries five
/// ports, and throws std::runtime_error after that.
std::unique_ptr<Process> start_with_port(
    std::uint16_t& port, const std::function<std::vector<std::string>()>& arguments);

}  // namespace memcoord::testing
