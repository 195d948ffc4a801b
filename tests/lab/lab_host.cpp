#include "tests/lab/lab_host.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/lv_error.h"

namespace memcoord::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDaemon = "/usr/sbin/libvirtd";
constexpr uid_t kNobody = 65534;

/// A user's own daemon cannot be root's: that would be the machine's.
bool drop_root() {
  if (geteuid() != 0) return true;
  return setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0;
}

[[noreturn]] void run_daemon(const fs::path& folder) {
  if (!drop_root()) _exit(126);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);  // only now: another user's process loses it
  for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}) {
    (void)setenv(name, folder.c_str(), 1);
  }
  const int log =
      ::open((folder / "libvirtd.log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  (void)dup2(log, STDOUT_FILENO);
  (void)dup2(log, STDERR_FILENO);
  execl(kDaemon, kDaemon, "--timeout", "0", static_cast<char*>(nullptr));
  _exit(127);
}

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

/// Whether a process, as /proc has it, is a guest's, a memcoord or a daemon of the folder's lab.
bool is_of(const fs::path& folder, const fs::path& process) {
  const std::string line = read_all(process / "cmdline");
  const std::string program = fs::path(line.substr(0, line.find('\0'))).filename();
  if (program != "memcoord" && program != "libvirtd" && program != "virtlogd" &&
      !program.starts_with("qemu-system"))
    return false;
  return (line + read_all(process / "environ")).find(folder.string()) != std::string::npos;
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
  // For finding out what went wrong: consoles, journals and logs stay.
  if (std::getenv("MEMCOORD_LAB_KEEP") != nullptr) return;
  // What is being killed may still write, and stops a removal half way.
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

/// Cleans up once the process at the socket's other end says so, or is gone.
[[noreturn]] void run_keeper(const fs::path& folder, int socket) {
  // What ends the test and those it has started, or Ctrl-C, is not for the keeper.
  (void)setsid();
  if (fork() != 0) _exit(0);
  // Nothing else is kept open: with another host's socket, that host's keeper would wait for ever.
  (void)dup2(socket, STDIN_FILENO);
  (void)close_range(STDIN_FILENO + 1, ~0U, 0);
  wait_for_end_of(STDIN_FILENO);
  clean_up(folder);
  _exit(0);
}

}  // namespace

LabHost::LabHost() {
  std::string pattern = (fs::temp_directory_path() / "memcoord-lab-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the lab");
  folder_ = pattern;
  kernel_ = (folder_ / "vmlinuz").string();
  initrd_ = (folder_ / "initrd").string();
  fs::copy_file(fs::path(MEMCOORD_LAB_IMAGE) / "vmlinuz", kernel_);
  fs::copy_file(fs::path(MEMCOORD_LAB_IMAGE) / "initrd", initrd_);
  if (geteuid() == 0) {
    for (const auto& path : {folder_, fs::path(kernel_), fs::path(initrd_)}) {
      if (chown(path.c_str(), kNobody, kNobody) != 0)
        throw std::runtime_error("chown: " + path.string());
    }
  }
  start_keeper();
  start_daemon();
}

LabHost::~LabHost() {
  kill_daemon();
  (void)::shutdown(keeper_, SHUT_WR);
  wait_for_end_of(keeper_);
  (void)::close(keeper_);
}

void LabHost::start_keeper() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::runtime_error("socketpair");
  const pid_t forks = fork();
  if (forks < 0) throw std::runtime_error("fork");
  if (forks == 0) run_keeper(folder_, ends[0]);
  (void)waitpid(forks, nullptr, 0);
  (void)::close(ends[0]);
  keeper_ = ends[1];
}

std::string LabHost::uri() const {
  return "qemu+unix:///session?socket=" + (folder_ / "libvirt/libvirt-sock").string();
}

void LabHost::start_daemon() {
  daemon_ = fork();
  if (daemon_ < 0) throw std::runtime_error("fork");
  if (daemon_ == 0) run_daemon(folder_);
  libvirt::silence_libvirt();
  for (int i = 0; i < 1500; ++i) {
    if (const libvirt::ConnectHandle answers(virConnectOpen(uri().c_str())); answers) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("the lab's libvirt daemon does not answer: " +
                           read_all(folder_ / "libvirtd.log"));
}

void LabHost::kill_daemon() {
  if (daemon_ < 0) return;
  (void)::kill(daemon_, SIGKILL);
  (void)waitpid(daemon_, nullptr, 0);
  daemon_ = -1;
}

}  // namespace memcoord::lab
