#include "tests/integration/libvirt/session_daemon.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "engine/hypervisor/libvirt/lv_error.h"

namespace memcoord::libvirt {
namespace {

constexpr const char* kProgram = "/usr/sbin/libvirtd";
constexpr uid_t kNobody = 65534;

}  // namespace

bool SessionDaemon::installed() {
  return access(kProgram, X_OK) == 0;
}

SessionDaemon::SessionDaemon() {
  // As the program does: to write to a daemon that was killed is an error, not the end.
  (void)std::signal(SIGPIPE, SIG_IGN);
  // A daemon that root starts would be the machine's own.
  if (geteuid() == 0) REQUIRE(chown(folder_.path().c_str(), kNobody, kNobody) == 0);
  start();
}

SessionDaemon::~SessionDaemon() {
  kill();
}

std::string SessionDaemon::uri() const {
  return "test+unix:///default?socket=" + (folder_.path() / "libvirt/libvirt-sock").string();
}

void SessionDaemon::start() {
  process_ = fork();
  REQUIRE(process_ >= 0);
  if (process_ == 0) run_program();
  silence_libvirt();
  for (int i = 0; i < 1000; ++i) {
    if (const ConnectHandle answers(virConnectOpen(uri().c_str())); answers) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL("the session daemon does not answer");
}

void SessionDaemon::run_program() const {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (geteuid() == 0) {
    const bool dropped = setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0;
    if (!dropped) _exit(126);
  }
  const std::string folder = folder_.path().string();
  for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}) {
    (void)setenv(name, folder.c_str(), 1);
  }
  const int log =
      ::open((folder + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  (void)dup2(log, STDOUT_FILENO);
  (void)dup2(log, STDERR_FILENO);
  execl(kProgram, kProgram, "--timeout", "0", static_cast<char*>(nullptr));
  _exit(127);
}

void SessionDaemon::kill() {
  if (process_ < 0) return;
  send(SIGKILL);
  (void)waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace memcoord::libvirt
