#include "tests/lab/keeper.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/text.h"

namespace memcoord::lab {
namespace {

namespace fs = std::filesystem;

/// Whether a process in /proc is a guest, a memcoord or a daemon of the folder's lab.
bool is_of(const fs::path& folder, const fs::path& process) {
  const std::string line = testing::read_text(process / "cmdline");
  const std::string program = fs::path(line.substr(0, line.find('\0'))).filename();
  if (program != "memcoord" && program != "libvirtd" && program != "virtlogd" &&
      !program.starts_with("qemu-system"))
    return false;
  return (line + testing::read_text(process / "environ")).find(folder.string()) !=
         std::string::npos;
}

void signal_processes_of(const fs::path& folder, int signal) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (is_of(folder, entry.path())) (void)::kill(std::stoi(name), signal);
  }
}

void clean_up(const fs::path& folder) {
  signal_processes_of(folder, SIGCONT);
  signal_processes_of(folder, SIGKILL);
  // Consoles, journals and logs stay for the search for an error.
  if (std::getenv("MEMCOORD_LAB_KEEP") != nullptr) return;
  // A process that is being killed may still write and make the removal fail.
  std::error_code error;
  for (int i = 0; i < 100 && fs::exists(folder, error); ++i) {
    fs::remove_all(folder, error);
    if (error) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void wait_for_end_of(int socket) {
  char byte = 0;
  while (::read(socket, &byte, 1) < 0 && errno == EINTR) {
  }
}

/// Cleans up once the process at the socket's other end asks for it or is gone.
[[noreturn]] void run_keeper(const fs::path& folder, int socket) {
  // Signals to the test's process group, such as Ctrl-C, must not end the keeper.
  (void)setsid();
  if (fork() != 0) _exit(0);
  // The keeper closes all other files: with another lab's socket open, that lab's keeper would wait
  // for ever.
  (void)dup2(socket, STDIN_FILENO);
  (void)close_range(STDIN_FILENO + 1, ~0U, 0);
  wait_for_end_of(STDIN_FILENO);
  clean_up(folder);
  _exit(0);
}

}  // namespace

Keeper::Keeper(const fs::path& folder) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::runtime_error("socketpair");
  const pid_t forks = fork();
  if (forks == 0) run_keeper(folder, ends[0]);
  (void)::close(ends[0]);
  socket_ = ends[1];
  if (forks < 0) {
    (void)::close(socket_);
    throw std::runtime_error("fork");
  }
  (void)waitpid(forks, nullptr, 0);
}

Keeper::~Keeper() {
  (void)::shutdown(socket_, SHUT_WR);
  wait_for_end_of(socket_);
  (void)::close(socket_);
}

}  // namespace memcoord::lab
