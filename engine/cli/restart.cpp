#include "engine/cli/restart.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace memcoord::cli {
namespace {

constexpr const char* kStateVariable = "MEMCOORD_STATE_FD";
constexpr const char* kRestartVariable = "MEMCOORD_STARTED_AGAIN_AT";
constexpr std::chrono::minutes kPause{10};

std::int64_t monotonic_seconds(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::vector<std::string> own_command_line() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(stream, word, '\0');) words.push_back(std::move(word));
  return words;
}

}  // namespace

bool may_start_again(std::chrono::steady_clock::time_point now) {
  const char* last = std::getenv(kRestartVariable);
  if (last == nullptr) return true;
  const std::int64_t since = monotonic_seconds(now) - std::atoll(last);  // NOLINT: 0 is long ago
  return since >= std::chrono::seconds(kPause).count();
}

bool hand_over(const std::string& state) {
  const int fd = ::memfd_create("memcoord-state", 0);
  if (fd < 0) return false;
  std::size_t written = 0;
  while (written < state.size()) {
    const ssize_t count = ::write(fd, state.data() + written, state.size() - written);
    if (count <= 0) {
      ::close(fd);
      return false;
    }
    written += static_cast<std::size_t>(count);
  }
  ::setenv(kStateVariable, std::to_string(fd).c_str(), 1);
  return true;
}

std::string take_handed_over() {
  const char* named = std::getenv(kStateVariable);
  if (named == nullptr) return {};
  const int fd = std::atoi(named);  // NOLINT: checked by what is read from it
  ::unsetenv(kStateVariable);
  if (fd <= STDERR_FILENO) return {};
  std::string state;
  char piece[4096];
  off_t at = 0;
  for (ssize_t count = 0; (count = ::pread(fd, piece, sizeof piece, at)) > 0; at += count) {
    state.append(piece, static_cast<std::size_t>(count));
  }
  ::close(fd);
  return state;
}

void start_again(const std::string& state) {
  const auto now = std::chrono::steady_clock::now();
  if (!may_start_again(now)) return;
  std::vector<std::string> words = own_command_line();
  if (words.empty()) return;
  if (!state.empty()) hand_over(state);
  ::setenv(kRestartVariable, std::to_string(monotonic_seconds(now)).c_str(), 1);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
}

}  // namespace memcoord::cli
