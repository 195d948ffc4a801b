// Headroom, and room before a start: the commands, and the packaged hook and probe as programs that
// libvirt and OpenNebula run.

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::json_of;
using memcoord::testing::Process;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

/// A run on a simulated host, on the user's own socket, where the packaged programs find it.
struct HookedRun {
  explicit HookedRun(const std::string& options = "") {
    // Nobody reads its tables.
    run = std::make_unique<Process>(std::vector<std::string>{
        "/bin/sh", "-c",
        std::string("exec ") + MEMCOORD_BINARY +
            " --connect sim:case1 --interval 100ms --policy halving --log-level info --control " +
            socket + " " + options + " >/dev/null"});
    REQUIRE(run->wait_for_errors("\n"));
    for (int i = 0; i < 100 && ask({"headroom"}).exit_code != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  [[nodiscard]] Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--control", socket});
    return run_memcoord(arguments);
  }

  ScratchFiles files;
  std::string socket = files.path("memcoord.sock");
  std::unique_ptr<Process> run;
};

/// A server that is no memcoord, behind a socket: it answers every request with this body.
struct OtherProgram {
  explicit OtherProgram(const std::string& body) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener, 5) == 0);
    thread = std::thread([this, body] {
      const std::string response =
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n" + body;
      for (int client = 0; (client = ::accept(listener, nullptr, nullptr)) >= 0;) {
        std::array<char, 4096> request{};
        (void)::recv(client, request.data(), request.size(), 0);
        (void)::send(client, response.data(), response.size(), MSG_NOSIGNAL);
        ::close(client);
      }
    });
  }
  ~OtherProgram() {
    ::shutdown(listener, SHUT_RDWR);
    thread.join();
    ::close(listener);
  }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;

  ScratchFiles files;
  std::string socket = files.path("other.sock");
  int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::thread thread;
};

/// Runs a program of share/memcoord/hooks as its caller does: with words, and text on standard
/// input. `folder` has the socket; `path` is where the shell finds memcoord.
Finished run_packaged(
    const std::string& program, const std::string& folder, const std::string& words = "",
    const std::string& input = "",
    const std::string& path = std::filesystem::path(MEMCOORD_BINARY).parent_path().string()) {
  const std::string command = "printf '%s' \"$INPUT\" | \"$PROGRAM\" " + words;
  return Process({"/bin/sh", "-c", command},
                 {{"INPUT", input},
                  {"PROGRAM", std::string(MEMCOORD_HOOKS) + "/" + program},
                  {"XDG_RUNTIME_DIR", folder},
                  {"PATH", path + ":/usr/bin:/bin"}})
      .finish();
}

std::string xml_of(const std::string& inner, const std::string& name = "fresh") {
  return "<domain type='kvm'><name>" + name +
         "</name><devices><memballoon model='virtio'/></devices>" + inner + "</domain>";
}
const std::string kSmall = xml_of("<memory unit='MiB'>16</memory>");

Json reserves_of(const HookedRun& run) {
  return json_of(run.ask({"headroom", "--json"})).at("reserves");
}

}  // namespace

TEST_CASE("headroom shows what the host can promise, and --fits answers by its exit code") {
  const HookedRun run;
  const Finished shown = run.ask({"headroom"});
  CHECK(shown.exit_code == 0);
  CHECK_MESSAGE(contains(shown.output, "after reclaiming "), shown.output);
  const Json json = json_of(run.ask({"headroom", "--json"}));
  CHECK(json.at("within").size() == 3);
  CHECK(json.at("reserved").number() == 0);
  const Finished small = run.ask({"headroom", "--fits", "1MiB"});
  CHECK(contains(small.output, "A guest of 1 MiB needs "));
  const Finished large = run.ask({"headroom", "--fits", "1MiB,900TiB"});
  CHECK(large.exit_code == 1);
  CHECK(contains(large.output, "They do not fit"));
  CHECK(large.errors.empty());
  const Finished wrong = run.ask({"headroom", "--fits", "4"});
  CHECK(wrong.exit_code == 2);
  CHECK(contains(wrong.errors, "'4' has no unit"));
}

TEST_CASE("a socket of another program gives one clear line, and no answer to --fits") {
  for (const char* body :
       {"<html>hi</html>", "{}", "[]", R"({"text":3,"events":"a","grantable":"x","within":7})"}) {
    CAPTURE(body);
    const OtherProgram other(body);
    for (const std::vector<std::string>& words : {std::vector<std::string>{"headroom"},
                                                  {"headroom", "--json"},
                                                  {"headroom", "--key-value"},
                                                  {"headroom", "--fits", "1GiB"},
                                                  {"events", "--json"}}) {
      std::vector<std::string> command = words;
      command.insert(command.end(), {"--control", other.socket});
      const Finished answer = run_memcoord(command);
      CHECK(answer.exit_code == 1);
      CHECK(answer.output.empty());
      CHECK(answer.errors == "memcoord: " + other.socket +
                                 ": is not a memcoord's control socket: unexpected response\n");
    }
  }
}

TEST_CASE("the probe for OpenNebula prints KEY=VALUE lines, and nothing without a run") {
  const HookedRun run;
  const Finished probe = run_packaged("opennebula-probe", run.files.path(""));
  CHECK(probe.exit_code == 0);
  const Json json = json_of(run.ask({"headroom", "--json"}));
  std::vector<std::string> keys;
  std::string line;
  for (const char c : probe.output) {
    if (c != '\n') {
      line += c;
      continue;
    }
    const std::size_t equals = line.find('=');
    REQUIRE(equals != std::string::npos);
    CHECK(line.find_first_not_of("0123456789", equals + 1) == std::string::npos);
    keys.push_back(line.substr(0, equals));
    line.clear();
  }
  CHECK(keys == std::vector<std::string>{"MEMCOORD_HEADROOM", "MEMCOORD_HEADROOM_1S",
                                         "MEMCOORD_HEADROOM_10S", "MEMCOORD_HEADROOM_60S",
                                         "MEMCOORD_HEADROOM_ALL", "MEMCOORD_RESERVED"});
  const ScratchFiles nothing;
  const Finished without = run_packaged("opennebula-probe", nothing.path(""));
  CHECK(without.exit_code == 0);
  CHECK(without.output.empty());
}

TEST_CASE("the hook reserves a guest's memory before its start and releases it after its end") {
  const HookedRun run;
  const std::string folder = run.files.path("");
  const Finished begun = run_packaged("libvirt-qemu", folder, "fresh prepare begin -", kSmall);
  CHECK(begun.exit_code == 0);
  CHECK(begun.output.empty());
  CHECK_MESSAGE(begun.errors == "memcoord: fresh: 78 MiB are reserved for it\n", begun.errors);
  REQUIRE(reserves_of(run).size() == 1);
  CHECK(reserves_of(run).at(0).at("name").string() == "fresh");
  CHECK(reserves_of(run).at(0).at("ready") == Json(true));

  // A second call for the same guest replaces the reserve.
  CHECK(run_packaged("libvirt-qemu", folder, "fresh prepare begin -", kSmall).exit_code == 0);
  CHECK(reserves_of(run).size() == 1);

  CHECK(run_packaged("libvirt-qemu", folder, "fresh started begin -", kSmall).errors.empty());
  CHECK(reserves_of(run).size() == 1);
  CHECK(run_packaged("libvirt-qemu", folder, "fresh release end -", kSmall).exit_code == 0);
  CHECK(run.run->wait_for_errors("the reserve for fresh is released"));
  // A guest without a reserve ends as well.
  CHECK(run_packaged("libvirt-qemu", folder, "fresh release end -", kSmall).exit_code == 0);
}

TEST_CASE("the hook lets a guest start whose XML cannot be read") {
  const HookedRun run;
  const std::string folder = run.files.path("");
  for (const std::string& xml :
       {std::string(), std::string("not XML"), std::string("<domain><memory>"),
        std::string("<network/>"), std::string("<domain type='kvm'/>"),
        xml_of("<memory unit='YiB'>1</memory>"), std::string(5U << 20U, 'x')}) {
    CAPTURE(xml.substr(0, 20));
    // A program's environment holds no text of 5 MiB.
    const Finished start =
        xml.size() < 100 ? run_packaged("libvirt-qemu", folder, "fresh prepare begin -", xml)
                         : run_packaged("libvirt-qemu", folder, "fresh prepare begin - </dev/zero");
    CHECK(start.exit_code == 0);
    CHECK_MESSAGE(contains(start.errors, "fresh: it starts without room made for it: "),
                  start.errors);
    CHECK(std::count(start.errors.begin(), start.errors.end(), '\n') == 1);
  }
  const Finished other = run_packaged("libvirt-qemu", folder, "web prepare begin -", kSmall);
  CHECK(other.exit_code == 0);
  CHECK(other.errors ==
        "memcoord: web: it starts without room made for it: its XML is that of fresh\n");
  CHECK(reserves_of(run).size() == 0);
}

TEST_CASE("the hook lets every guest start where memcoord is absent, not installed or dry") {
  const ScratchFiles files;
  const Finished absent =
      run_packaged("libvirt-qemu", files.path(""), "fresh prepare begin -", kSmall);
  CHECK(absent.exit_code == 0);
  CHECK(contains(absent.errors, "it starts without room made for it: "));
  CHECK(run_packaged("libvirt-qemu", files.path(""), "fresh release end -").exit_code == 0);
  const Finished not_installed =
      run_packaged("libvirt-qemu", files.path(""), "fresh prepare begin -", kSmall, "/nowhere");
  CHECK(not_installed.exit_code == 0);
  const HookedRun dry("--dry-run");
  const Finished start =
      run_packaged("libvirt-qemu", dry.files.path(""), "fresh prepare begin -", kSmall);
  CHECK(start.exit_code == 0);
  CHECK(contains(start.errors, "memcoord is in a dry run"));
}

TEST_CASE("admit refuses a start that the host has no memory for, only with --refuse") {
  const HookedRun run;
  const std::string xml =
      run.files.write("fresh.xml", xml_of("<memory unit='KiB'>966367641600</memory>"));
  const auto admit = [&](const std::string& options) {
    return Process({"/bin/sh", "-c",
                    std::string(MEMCOORD_BINARY) + " admit --wait 500ms --control " + run.socket +
                        " " + options + " -- fresh prepare begin - < " + xml})
        .finish();
  };
  const Finished passes = admit("");
  CHECK(passes.exit_code == 0);
  CHECK(contains(passes.errors, "do not fit on this host"));
  CHECK(reserves_of(run).size() == 0);
  const Finished refused = admit("--refuse");
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.errors, "it does not start: "));
}

TEST_CASE("a guest that memcoord leaves alone gets room, and the hook says so") {
  const HookedRun run;
  const Finished start =
      run_packaged("libvirt-qemu", run.files.path(""), "fresh prepare begin -",
                   xml_of("<memory unit='MiB'>16</memory>"
                          "<metadata><memcoord:domain exclude='yes' "
                          "xmlns:memcoord='https://memcoord.org/xmlns/domain/1.0'/></metadata>"));
  CHECK(start.exit_code == 0);
  CHECK_MESSAGE(contains(start.errors, "78 MiB are reserved for it; memcoord leaves it alone"),
                start.errors);
}

TEST_CASE("a guest whose name begins with a dash or acts on a terminal is a guest like any other") {
  const HookedRun run;
  const std::string folder = run.files.path("");
  const std::string memory = "<memory unit='MiB'>16</memory>";
  CHECK(run_packaged("libvirt-qemu", folder, "-db prepare begin -", xml_of(memory, "-db"))
            .exit_code == 0);
  const Finished strange = run_packaged(
      "libvirt-qemu", folder, "\"$(printf 'a\\033b')\" prepare begin -", xml_of(memory, "a\033b"));
  CHECK(strange.exit_code == 0);
  CHECK_FALSE(contains(strange.errors, "\033"));
  CHECK(reserves_of(run).size() == 2);
}

TEST_CASE("a reserve ends by its time, with an event") {
  const HookedRun run;
  const std::string xml = run.files.write("fresh.xml", kSmall);
  CHECK(Process({"/bin/sh", "-c",
                 std::string(MEMCOORD_BINARY) + " admit --hold 1s --control " + run.socket +
                     " fresh prepare begin - < " + xml})
            .finish()
            .exit_code == 0);
  CHECK(run.run->wait_for_errors(
      "fresh: the reserve of 78 MiB ends: its time is over, and the domain has not started"));
}
