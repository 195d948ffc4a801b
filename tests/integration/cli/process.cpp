#include "tests/integration/cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>

#include "tests/raw_client.h"

namespace memcoord::testing {
namespace {

constexpr std::chrono::seconds kPatience(120);

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  return {ends[0], ends[1]};
}

void close_end(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::vector<std::string> changed_environment(const Process::Environment& changes) {
  std::map<std::string, std::string> values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) values[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : changes) values[name] = value;
  std::vector<std::string> result;
  for (const auto& [name, value] : values) {
    if (!value.empty()) result.push_back(std::string(name).append("=").append(value));
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Start the program as a shell would, even if the test itself ignores or blocks signals.
void reset_signals(posix_spawnattr_t& attributes) {
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

// Reads available bytes; returns false at the end of the stream.
bool read_into(std::string& text, int& fd) {
  char buffer[4096];
  const ssize_t count = ::read(fd, buffer, sizeof buffer);
  if (count > 0) {
    text.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  close_end(fd);
  return false;
}

}  // namespace

Process::Process(std::vector<std::string> command, const Environment& environment) {
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.write_end, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  reset_signals(attributes);
  std::vector<std::string> values = changed_environment(environment);
  const int code = ::posix_spawn(&pid_, command.at(0).c_str(), &actions, &attributes,
                                 pointers(command).data(), pointers(values).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close_end(output.write_end);
  close_end(errors.write_end);
  output_fd_ = output.read_end;
  errors_fd_ = errors.read_end;
  if (code != 0) {
    pid_ = -1;
    throw std::runtime_error(command.at(0) + ": " + std::strerror(code));
  }
}

Process::~Process() {
  close_end(output_fd_);
  close_end(errors_fd_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Process::wait_for_output(std::string_view text) {
  return wait_for(finished_.output, text);
}
bool Process::wait_for_errors(std::string_view text) {
  return wait_for(finished_.errors, text);
}

bool Process::wait_for(const std::string& stream, std::string_view text) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (stream.find(text) == std::string::npos) {
    if (!read_some(deadline)) return stream.find(text) != std::string::npos;
  }
  return true;
}

void Process::close_output() {
  close_end(output_fd_);
}

bool Process::read_some(std::chrono::steady_clock::time_point deadline) {
  if (output_fd_ < 0 && errors_fd_ < 0) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd watched[] = {{output_fd_, POLLIN, 0}, {errors_fd_, POLLIN, 0}};
  if (left.count() <= 0 || ::poll(watched, 2, static_cast<int>(left.count())) <= 0) return false;
  if (watched[0].revents != 0) read_into(finished_.output, output_fd_);
  if (watched[1].revents != 0) read_into(finished_.errors, errors_fd_);
  return true;
}

Finished Process::finish() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (read_some(deadline)) {
  }
  // Both streams are still open after kPatience.
  if (output_fd_ >= 0 || errors_fd_ >= 0) signal(SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  finished_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return finished_;
}

std::vector<std::string> memcoord_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MEMCOORD_BINARY);
  return arguments;
}

std::unique_ptr<Process> start_with_port(
    std::uint16_t& port, const std::function<std::vector<std::string>()>& arguments) {
  constexpr int kPorts = 5;
  std::string errors;
  for (int i = 0; i < kPorts; ++i) {
    port = free_port();
    auto run = std::make_unique<Process>(memcoord_command(arguments()));
    if (run->wait_for_output("\n")) return run;
    errors = run->finish().errors;
  }
  throw std::runtime_error("the run does not begin: " + errors);
}

Finished run_memcoord(std::vector<std::string> arguments, const Process::Environment& environment) {
  return Process(memcoord_command(std::move(arguments)), environment).finish();
}

}  // namespace memcoord::testing
