// Refusals of the operating system. Root may do everything, so as root the tests run the program as
// the user nobody.

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::testing::Finished;
using memcoord::testing::memcoord_command;
using memcoord::testing::Process;
using memcoord::testing::ScratchFiles;

namespace {

// The user nobody cannot reach a build tree under /root, so the program is copied elsewhere.
class Installation {
 public:
  Installation() {
    namespace fs = std::filesystem;
    ::chmod(files_.path("").c_str(), 0755);
    fs::create_directories(files_.path("bin"));
    fs::create_directories(files_.path("share/memcoord"));
    fs::copy_file(MEMCOORD_BINARY, program());
    fs::copy(MEMCOORD_POLICIES, files_.path("share/memcoord/policies"));
    fs::copy(MEMCOORD_SCENARIOS, files_.path("share/memcoord/scenarios"));
  }
  [[nodiscard]] std::string program() const { return files_.path("bin/memcoord"); }

 private:
  ScratchFiles files_;
};

std::vector<std::string> unprivileged(std::vector<std::string> command) {
  if (::geteuid() != 0) return command;
  const std::vector<std::string> wrapper{"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                         "--clear-groups"};
  command.insert(command.begin(), wrapper.begin(), wrapper.end());
  return command;
}

Finished refused(const std::vector<std::string>& arguments) {
  const Installation installation;
  std::vector<std::string> command{installation.program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Finished run = Process(unprivileged(command)).finish();
  CAPTURE(run.errors);
  CHECK(run.exit_code == 1);
  CHECK(run.output.empty());
  return run;
}

// Listens on a Unix socket and never answers, like a daemon that hangs.
class SilentDaemon {
 public:
  explicit SilentDaemon(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
  }
  ~SilentDaemon() {
    if (client_ >= 0) ::close(client_);
    ::close(fd_);
  }
  SilentDaemon(const SilentDaemon&) = delete;
  SilentDaemon& operator=(const SilentDaemon&) = delete;

  // Returns when a client has connected.
  void wait_for_client() { client_ = ::accept(fd_, nullptr, nullptr); }

 private:
  int fd_;
  int client_ = -1;
};

}  // namespace

TEST_CASE("files without permission to read or write are named") {
  const ScratchFiles files;
  ::chmod(files.path("").c_str(), 0755);
  const std::string policy = files.write("secret.lua", "return {}");
  const std::string config = files.write("secret.toml", "");
  ::chmod(policy.c_str(), 0);
  ::chmod(config.c_str(), 0);
  const std::vector<std::string> simulated{"--connect", "sim:case1", "--no-wait", "--ticks", "1"};
  const auto with = [&](const std::string& option, const std::string& value) {
    auto arguments = simulated;
    arguments.insert(arguments.end(), {option, value});
    return refused(arguments).errors;
  };
  CHECK(with("--policy", policy).starts_with("memcoord: " + policy + ": "));
  CHECK(with("--config", config) ==
        "memcoord: " + config + ": cannot read the configuration: Permission denied\n");
  ::chmod(files.path("").c_str(), 0555);
  CHECK(with("--journal", files.path("ticks.jsonl"))
            .starts_with("memcoord: " + files.path("ticks.jsonl") + ": "));
  ::chmod(files.path("").c_str(), 0755);
}

TEST_CASE("a daemon's socket without permission is named") {
  const ScratchFiles files;
  ::chmod(files.path("").c_str(), 0755);
  const SilentDaemon daemon(files.path("sock"));
  ::chmod(files.path("sock").c_str(), 0);
  const Finished run = refused({"--connect", "qemu+unix:///system?socket=" + files.path("sock")});
  CHECK(run.errors.find("not allowed") != std::string::npos);
}

TEST_CASE("a signal ends a run that waits for the daemon to answer") {
  const ScratchFiles files;
  SilentDaemon daemon(files.path("sock"));
  Process run(memcoord_command({"--connect", "qemu+unix:///system?socket=" + files.path("sock")}));
  daemon.wait_for_client();
  run.signal(SIGTERM);
  CHECK(run.finish().exit_code == 0);
}

TEST_CASE("a control socket that cannot be made or used is named") {
  const ScratchFiles files;
  ::chmod(files.path("").c_str(), 0555);
  const std::string socket = files.path("control.sock");
  CHECK(contains(
      refused({"--connect", "sim:case1", "--no-wait", "--ticks", "1", "--control", socket}).errors,
      socket + ": cannot be created: Permission denied"));
  ::chmod(files.path("").c_str(), 0755);
  Process run(memcoord_command({"--connect", "sim:case1", "--json", "--control", socket}));
  REQUIRE(run.wait_for_output("\n"));
  ::chmod(socket.c_str(), 0400);
  CHECK(contains(refused({"status", "--control", socket}).errors, "refuses this user"));
  ::chmod(files.path("").c_str(), 0600);
  CHECK(contains(refused({"status", "--control", socket}).errors, "refuses this user"));
  ::chmod(files.path("").c_str(), 0755);
}

TEST_CASE("a user who may change the policy learns nothing about files of others" *
          doctest::skip(::geteuid() != 0)) {
  const ScratchFiles files;
  ::chmod(files.path("").c_str(), 0755);
  const std::string socket = files.path("control.sock");
  Process run(memcoord_command(
      {"--connect", "sim:case1", "--interval", "50ms", "--json", "--control", socket}));
  REQUIRE(run.wait_for_output("\n"));
  ::chmod(socket.c_str(), 0666);
  const Installation installation;
  const auto ask = [&](const std::string& policy) {
    return Process(unprivileged({installation.program(), "policy", policy, "--control", socket}))
        .finish();
  };
  const std::string secret = files.write("shadow", "root:$6$secret:19000\n");
  ::chmod(secret.c_str(), 0600);
  const Finished refusal = ask(secret);
  CHECK(refusal.exit_code == 2);
  CHECK(contains(refusal.errors, "shadow: is not readable by every user; copy it"));
  CHECK_FALSE(contains(refusal.errors, "secret"));
  std::filesystem::create_directory(files.path("closed"));
  ::chmod(files.path("closed").c_str(), 0700);
  CHECK(contains(ask(files.path("closed/none.lua")).errors, "is not readable by every user"));

  const std::string own =
      files.write("own.lua", "return { api = 1, summary = 'Own', tick = function() end }");
  ::chmod(own.c_str(), 0644);
  const Finished changed = ask(own);
  CHECK(changed.output == "policy own decides from the next tick on\n");
  // Nor by another way: a reload reads no more than the change did.
  std::filesystem::remove(own);
  std::filesystem::create_symlink(secret, own);
  const Finished reloaded =
      Process(unprivileged({installation.program(), "reload", "--control", socket})).finish();
  CHECK(reloaded.exit_code == 2);
  CHECK(contains(reloaded.errors, "is not readable by every user"));
}
