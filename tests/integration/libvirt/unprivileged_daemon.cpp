#include "tests/integration/libvirt/unprivileged_daemon.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/libvirt_error.h"
#include "tests/text.h"

namespace memcoord::testing {
namespace {

constexpr const char* kProgram = "/usr/sbin/libvirtd";
constexpr uid_t kNobody = 65534;

/// The user that runs the daemon. It must not be root, whose daemon is the machine's.
bool drop_root() {
  if (geteuid() != 0) return true;
  return setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0;
}

}  // namespace

bool UnprivilegedDaemon::installed() {
  return access(kProgram, X_OK) == 0;
}

UnprivilegedDaemon::UnprivilegedDaemon(const std::filesystem::path& folder,
                                       const std::string& driver)
    : folder_(folder), uri_(driver + "?socket=" + (folder / "libvirt/libvirt-sock").string()) {
  give(folder_);
}

UnprivilegedDaemon::~UnprivilegedDaemon() {
  kill();
}

void UnprivilegedDaemon::give(const std::filesystem::path& path) {
  if (geteuid() == 0 && chown(path.c_str(), kNobody, kNobody) != 0) {
    throw std::runtime_error("chown: " + path.string());
  }
}

void UnprivilegedDaemon::start() {
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("fork");
  if (process_ == 0) run_program();
  libvirt::silence_libvirt();
  for (int i = 0; i < 1500; ++i) {
    if (const libvirt::ConnectHandle answers(virConnectOpen(uri_.c_str())); answers) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("the libvirt daemon does not answer: " +
                           read_text(folder_ / "libvirtd.log"));
}

void UnprivilegedDaemon::run_program() const {
  if (!drop_root()) _exit(126);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which resets it
  for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}) {
    (void)setenv(name, folder_.c_str(), 1);
  }
  const int log =
      ::open((folder_ / "libvirtd.log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  (void)dup2(log, STDOUT_FILENO);
  (void)dup2(log, STDERR_FILENO);
  execl(kProgram, kProgram, "--timeout", "0", static_cast<char*>(nullptr));
  _exit(127);
}

void UnprivilegedDaemon::kill() {
  if (process_ < 0) return;
  send(SIGKILL);
  (void)waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace memcoord::testing
