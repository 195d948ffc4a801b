// Runs that are queried and changed through their control socket.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/raw_client.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::json_of;
using memcoord::testing::memcoord_command;
using memcoord::testing::Process;
using memcoord::testing::raw_clients;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

/// A run on a simulated host, with a control socket and a journal. Its policies reach their memory
/// limit long before their time limit, on a busy machine as well.
struct ControlledRun {
  explicit ControlledRun(const std::string& interval = "50ms",
                         const std::string& scenario = "case1")
      : run(memcoord_command({"--connect", "sim:" + scenario, "--interval", interval, "--policy",
                              "halving", "--json", "--control", socket, "--journal",
                              files.path("ticks.jsonl"), "--policy-memory", "2MiB"})) {
    REQUIRE(run.wait_for_output("\n"));
  }
  /// The result of a command that is sent to the run.
  [[nodiscard]] Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--control", socket});
    return run_memcoord(arguments);
  }
  /// Whether `memcoord status` shows the text, now or within ten seconds.
  [[nodiscard]] bool shows(const std::string& text, bool wanted = true) const {
    for (int i = 0; i < 100; ++i) {
      if (contains(ask({"status"}).output, text) == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  ScratchFiles files;
  std::string socket = files.path("control.sock");
  Process run;
};

/// Whether the run makes five ticks more. Reads its output, for which it would wait otherwise.
bool goes_on(ControlledRun& controlled) {
  const auto number =
      static_cast<int>(json_of(controlled.ask({"status", "--json"})).at("tick").number());
  return controlled.run.wait_for_output("\"tick\":" + std::to_string(number + 5) + ",");
}

}  // namespace

TEST_CASE("status, explain and events answer for a run") {
  ControlledRun controlled;
  const Finished status = controlled.ask({"status"});
  CHECK(status.exit_code == 0);
  CHECK(contains(status.output, "policy    halving\n"));
  CHECK(json_of(controlled.ask({"status", "--json"})).at("policy").string() == "halving");

  const std::string journal = controlled.files.read("ticks.jsonl");
  const Json tick = Json::parse(journal.substr(0, journal.find('\n'))).value();
  const std::string domain = tick.at("domains").at(0).at("name").string();
  const Finished explained = controlled.ask({"explain", domain});
  CHECK(explained.exit_code == 0);
  CHECK(explained.output.starts_with(domain + "  running, "));
  CHECK(contains(explained.output, "\nfigures    unused "));
  CHECK(json_of(controlled.ask({"explain", domain, "--json"})).at("name").string() == domain);

  CHECK(controlled.ask({"events"}).exit_code == 0);
  CHECK(controlled.ask({"events", domain, "--since", "1h", "--json"}).exit_code == 0);
  controlled.run.signal(SIGTERM);
  CHECK(controlled.run.finish().exit_code == 0);
  CHECK(run_memcoord({"events", "--journal", controlled.files.path("ticks.jsonl")}).exit_code == 0);
}

TEST_CASE("a change does not wait for the next tick") {
  ControlledRun controlled("1h");
  CHECK(controlled.ask({"dry-run", "on"}).output ==
        "dry run: nothing is moved from the next tick on\n");
  CHECK(controlled.ask({"pause", "--for", "10m"}).exit_code == 0);
  CHECK(controlled.shows("paused    every domain until "));
  CHECK(controlled.ask({"pause", "--for", "24h"}).exit_code == 0);
  CHECK(controlled.shows("paused    every domain until 20"));  // a date
  CHECK(controlled.ask({"resume"}).exit_code == 0);
  CHECK(controlled.shows("paused ", false));
}

TEST_CASE("a paused domain is skipped, and its skip names the author") {
  ControlledRun controlled;
  CHECK(controlled.ask({"pause"}).exit_code == 0);
  CHECK(controlled.run.wait_for_output("\"why\":\"paused by "));
  CHECK(controlled.run.wait_for_errors("every domain paused, requested by "));
}

TEST_CASE("a policy is changed if it loads, and its author is logged and journalled") {
  ControlledRun controlled;
  const Finished bad = controlled.ask({"policy", "no-such-policy"});
  CHECK(bad.exit_code == 2);
  CHECK(contains(bad.errors, "no such policy"));
  CHECK(controlled.ask({"policy", "band", "--set", "nonsense=1"}).exit_code == 2);
  const Finished no_unit = controlled.ask({"policy", "band", "--set", "low=120"});
  CHECK(no_unit.exit_code == 2);
  CHECK(contains(no_unit.errors, "'120' has no unit; did you mean 120MiB or 120GiB?"));
  CHECK(controlled.ask({"policy", "band", "--set", "low=120MiB"}).output ==
        "policy band decides from the next tick on\n");
  REQUIRE(controlled.run.wait_for_output("\"policy\":\"band\""));
  CHECK(controlled.ask({"reload"}).output ==
        "policy band is loaded again, unchanged; the journal is opened anew\n");
  REQUIRE(controlled.run.wait_for_errors("policy band reloaded, requested by "));
  CHECK(contains(controlled.files.read("ticks.jsonl"), "policy band decides, requested by "));
}

TEST_CASE("a reload says what came of it, and a bad policy leaves the old one") {
  ScratchFiles files;
  const std::string socket = files.path("control.sock");
  const std::string policy =
      files.write("own.lua", "return { api = 1, summary = 's', tick = function(ctx) end }");
  const std::string config = files.write("memcoord.toml", "");
  Process run(memcoord_command({"--connect", "sim:case1", "--interval", "50ms", "--policy", policy,
                                "--config", config, "--json", "--control", socket}));
  REQUIRE(run.wait_for_output("\n"));
  const auto reload = [&] { return run_memcoord({"reload", "--control", socket}); };
  CHECK(reload().output == "policy own is loaded again, unchanged; " + config +
                               " is not read again: restart memcoord to apply it\n");
  files.write("own.lua", "return { api = 1, summary = 't', tick = function(ctx) end }");
  CHECK(contains(reload().output, "policy own is loaded again, with changes"));
  files.write("own.lua", "return 1");
  const Finished bad = reload();
  CHECK(bad.exit_code == 2);
  CHECK(contains(bad.errors, "; the old policy stays; "));
  CHECK(run.wait_for_errors("cannot reload the policy, the old one stays: "));
}

TEST_CASE("the fallback policy is changed, logged and journalled, and shown") {
  ControlledRun controlled;
  CHECK(controlled.ask({"policy", "gradual", "--fallback"}).output ==
        "policy gradual decides if the main policy fails\n");
  CHECK(controlled.shows("policy    halving, fallback gradual\n"));
  CHECK(controlled.ask({"policy", "none", "--fallback"}).exit_code == 0);
  CHECK(controlled.shows("policy    halving\n"));
  REQUIRE(controlled.run.wait_for_errors("no fallback policy, requested by "));
  CHECK(contains(controlled.files.read("ticks.jsonl"), "fallback policy gradual, requested by "));
}

TEST_CASE("status --watch prints the status until a signal") {
  ControlledRun controlled;
  Process watch(memcoord_command(
      {"status", "--watch", "--interval", "10ms", "--json", "--control", controlled.socket}));
  for (int i = 0; i < 3; ++i) REQUIRE(watch.wait_for_output("\"domain_count\":4"));
  watch.signal(SIGINT);
  CHECK(watch.finish().exit_code == 0);
  CHECK(contains(controlled.ask({"status", "--interval", "1s"}).errors, "needs --watch"));
}

TEST_CASE("events are the same lines of JSON from the run and from its journal") {
  ControlledRun controlled;
  REQUIRE(controlled.run.wait_for_output("\"kind\":\"applied\""));
  const std::string of_run = controlled.ask({"events", "--json"}).output;
  controlled.run.signal(SIGTERM);
  CHECK(controlled.run.finish().exit_code == 0);
  const std::string journal = controlled.files.path("ticks.jsonl");
  const std::string of_journal = run_memcoord({"events", "--journal", journal, "--json"}).output;
  CHECK(contains(of_run, "\"kind\":\"moved\""));
  CHECK(of_journal.starts_with(of_run));
  const Finished unknown = run_memcoord({"events", "nobody", "--journal", journal});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.errors, "has no domain nobody"));
}

TEST_CASE("a run that ends logs the moves that it has not logged yet") {
  const Finished run = run_memcoord({"--connect", "sim:scarce", "--no-wait", "--ticks", "40"});
  CHECK(contains(run.errors, " small moves in the last 40 s: "));
}

TEST_CASE("a control command without a run says how to start one") {
  const ScratchFiles files;
  const Finished none = run_memcoord({"status", "--control", files.path("none.sock")});
  CHECK(none.exit_code == 1);
  CHECK(contains(none.errors, "no memcoord runs here; start it with 'systemctl start memcoord'"));
}

TEST_CASE("a domain that does not exist and a bad argument are refused") {
  ControlledRun controlled;
  const Finished unknown = controlled.ask({"explain", "nobody"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.errors, "no active domain nobody"));
  for (const std::string name : {"..", ".", "../x", "a/../b", "%2e%2e", "x/"}) {
    CAPTURE(name);
    CHECK(contains(controlled.ask({"explain", name}).errors, "no active domain " + name));
  }
  CHECK(controlled.ask({"pause", "nobody"}).exit_code == 2);
  CHECK(controlled.ask({"dry-run", "maybe"}).exit_code == 2);
}

TEST_CASE("a socket that cannot be served ends the run before it begins") {
  ControlledRun controlled;
  const auto refused = [](const std::string& socket) {
    const Finished run =
        run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "1", "--control", socket});
    CHECK(run.output.empty());
    CHECK(run.exit_code != 0);
    return run.errors;
  };
  CHECK(contains(refused(controlled.socket), "another memcoord serves this socket"));
  CHECK(contains(refused(controlled.files.path(std::string(200, 'x'))), "too long"));
  CHECK(contains(refused(controlled.files.write("file", "text")), "is not a socket"));
  CHECK(contains(refused(controlled.files.path("no/folder")), "No such file or directory"));
}

TEST_CASE("no client harms the ticks of a run or keeps others from their responses") {
  const ScratchFiles files;
  // A response of 800 domains does not fit a socket's buffer.
  ControlledRun controlled("50ms", many_domains(files, 800));
  const auto idle = raw_clients(300, "", controlled.socket);
  const auto half = raw_clients(300, "GET /v1/sta", controlled.socket);
  const auto deaf = raw_clients(400, "GET /v1/tick HTTP/1.1\r\nHost: x\r\n\r\n", controlled.socket);
  CHECK(controlled.ask({"status"}).exit_code == 0);
  CHECK(goes_on(controlled));
  controlled.run.signal(SIGTERM);
  CHECK(controlled.run.finish().exit_code == 0);
}

TEST_CASE("policies that do not load change nothing") {
  ControlledRun controlled;
  const auto refused = [&](const std::string& text) {
    const Finished run = controlled.ask({"policy", controlled.files.write("bad.lua", text)});
    CAPTURE(run.errors);
    CHECK(run.exit_code == 2);
    CHECK(run.output.empty());
    CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
    return run.errors;
  };
  CHECK(contains(refused("return {"), "bad.lua:1: "));
  CHECK(contains(refused("error('broken')"), "bad.lua:1: broken"));
  CHECK(contains(refused("while true do end"), "exceeded "));
  CHECK(contains(refused("local t = {} while true do t = { t } end"), "limit of 2 MiB"));
  CHECK(contains(refused("return 1"), "where a table is expected"));
  CHECK(contains(refused("\x1bLua"), "precompiled"));
  CHECK(contains(controlled.ask({"policy", controlled.files.path("none.lua")}).errors,
                 "no such file"));
  CHECK(contains(controlled.ask({"policy", "/dev/zero"}).errors, "is a device"));
  CHECK(goes_on(controlled));
  CHECK(contains(controlled.ask({"status"}).output, "policy    halving\n"));
  CHECK(controlled.ask({"reload"}).output ==
        "policy halving is loaded again, unchanged; the journal is opened anew\n");
}

TEST_CASE("a run replaces the socket of a run that was killed") {
  ControlledRun controlled;
  controlled.run.signal(SIGKILL);
  controlled.run.finish();
  CHECK(controlled.ask({"status"}).exit_code == 1);
  Process again(memcoord_command(
      {"--connect", "sim:case1", "--interval", "50ms", "--json", "--control", controlled.socket}));
  REQUIRE(again.wait_for_output("\n"));
  CHECK(controlled.ask({"status"}).exit_code == 0);
}

TEST_CASE("a socket's path that is too long is refused by the commands") {
  const Finished run = run_memcoord({"status", "--control", std::string(200, 'x')});
  CHECK(run.exit_code == 2);
  CHECK(contains(run.errors, "is too long for a socket's path"));
}
