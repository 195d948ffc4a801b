// Runs of the built program: simulated hosts, signals, reloads.

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::memcoord_command;
using memcoord::testing::Process;
using memcoord::testing::refusal;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line).value());
  return lines;
}

// A policy that grows every domain by a MiB a tick, for the reason `why`.
std::string policy_text(const std::string& why) {
  return "return { api = 1, summary = 'grows', tick = function(ctx)\n"
         "  for _, d in ipairs(ctx.domains) do d:grow(1 * MiB, '" +
         why + "') end\nend }\n";
}

// A run in real time without an end.
std::vector<std::string> endless(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"--connect", "sim:case1", "--interval", "50ms"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return memcoord_command(arguments);
}

}  // namespace

TEST_CASE("a simulated run prints each tick as a line of JSON") {
  const Finished run =
      run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "5", "--json"});
  CHECK(run.exit_code == 0);
  const auto ticks = json_lines(run.output);
  REQUIRE(ticks.size() == 5);
  CHECK(ticks.front() != ticks.back());
}

TEST_CASE("two runs of one scenario and policy print the same bytes") {
  const std::vector<std::string> arguments{"--connect", "sim:case2", "--no-wait", "--ticks", "20"};
  const Finished first = run_memcoord(arguments);
  const Finished second = run_memcoord(arguments);
  CHECK(first.exit_code == 0);
  CHECK(first.output == second.output);
  CHECK(contains(first.output, "MiB"));
}

TEST_CASE("the log of a simulated run has the simulated host's time and is the same in every run") {
  const std::vector<std::string> arguments{"--connect", "sim:case1",      "--no-wait",
                                           "--policy",  "halving",        "--ticks",
                                           "12",        "--min-interval", "0"};
  const Finished run = run_memcoord(arguments);
  CHECK(contains(run.errors, ":00 info builder: "));
  CHECK(contains(run.errors, ":11 info all ticks done"));
  CHECK(run_memcoord(arguments).errors == run.errors);
}

TEST_CASE("a run ends with its scenario") {
  const Finished run = run_memcoord({"--connect", "sim:", "--no-wait", "--json"});
  CHECK(run.exit_code == 0);
  CHECK(json_lines(run.output).size() > 5);
  CHECK(contains(run.errors, "the scenario has ended"));
}

TEST_CASE("output has escapes only with --color always") {
  const std::vector<std::string> arguments{"--connect", "sim:case1", "--no-wait", "--ticks", "2"};
  CHECK_FALSE(contains(run_memcoord(arguments).output, "\x1b"));
  auto colored = arguments;
  colored.insert(colored.end(), {"--color", "always"});
  CHECK(contains(run_memcoord(colored).output, "\x1b["));
}

TEST_CASE("the journal holds every tick") {
  const ScratchFiles files;
  const Finished run = run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "7",
                                     "--journal", files.path("ticks.jsonl")});
  CHECK(run.exit_code == 0);
  CHECK(json_lines(files.read("ticks.jsonl")).size() == 7);
}

TEST_CASE("a configuration file sets what the command line does not") {
  const ScratchFiles files;
  const std::string path =
      files.write("m.toml", "connect = \"sim:case1\"\nno-wait = true\njson = true\nticks = 3\n");
  CHECK(json_lines(run_memcoord({"--config", path}).output).size() == 3);
  CHECK(json_lines(run_memcoord({"--config", path, "--ticks", "4"}).output).size() == 4);
}

TEST_CASE("a configuration is checked beside the run that uses it, and nothing is written") {
  const ScratchFiles files;
  const std::string path = files.write(
      "m.toml", "connect = \"sim:case1\"\ninterval = \"50ms\"\njson = true\njournal = \"" +
                    files.path("ticks.jsonl") + "\"\nmetrics-file = \"" + files.path("m.prom") +
                    "\"\ncontrol = \"" + files.path("control.sock") + "\"\n");
  const auto check_is_sound = [&] {
    const Finished checked = run_memcoord({"--config", path, "--check-config"});
    CHECK(checked.exit_code == 0);
    CHECK(checked.output == path + " is sound\n");
    CHECK(checked.errors.empty());
  };
  check_is_sound();
  for (const char* name : {"ticks.jsonl", "m.prom", "control.sock"}) {
    CAPTURE(name);
    CHECK(!std::filesystem::exists(files.path(name)));
  }
  Process run(memcoord_command({"--config", path}));
  REQUIRE(run.wait_for_output("\n{"));
  check_is_sound();
  CHECK(std::filesystem::exists(files.path("m.prom")));
  run.signal(SIGTERM);
  CHECK(run.finish().exit_code == 0);
}

TEST_CASE("the check of a configuration finds what a run would refuse") {
  const ScratchFiles files;
  const auto refused = [&](const std::string& text) {
    return refusal({"--config", files.write("m.toml", text), "--check-config"});
  };
  const std::string here = files.path("m.toml");
  CHECK(refused("ticks = 0\n").starts_with(here + ":1:9: ticks: '0' is too small"));
  CHECK(refused("policy = \"halvign\"\n").starts_with(here + ":1:10: policy: halvign: no such"));
  CHECK(refused("fallback-policy = \"x.lua\"\n") ==
        here + ":1:19: fallback-policy: x.lua: no such file");
  CHECK(refused("policy = \"band\"\n[set]\nlow = \"few\"\n").starts_with(here + ":3:7: set.low:"));
  CHECK(refused("metrics = \"9798\"\nmetrics-token = \"/no/such\"\n") ==
        here +
            ":2:17: metrics-token: /no/such: no such token file; write one with: "
            "openssl rand -hex 32");
  CHECK(refused("journal-max = \"1GiB\"\n") ==
        here + ":1:15: journal-max: limits a journal, but there is none; add --journal FILE");
  CHECK(refused("check-config = true\n").starts_with(here + ":1:1: check-config: no such setting"));
  CHECK(refusal({"--check-config"}) == "--check-config: needs a configuration; add --config FILE");
}

TEST_CASE("SIGTERM and SIGINT end a run cleanly") {
  for (const int signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    Process run(endless({"--json"}));
    REQUIRE(run.wait_for_output("\n"));
    run.signal(signal);
    const Finished end = run.finish();
    CHECK(end.exit_code == 0);
    CHECK(contains(end.errors, "asked to end"));
    CHECK(json_lines(end.output).size() >= 1);
  }
}

TEST_CASE("a signal ends a run that waits for its next tick") {
  Process run(memcoord_command({"--connect", "sim:case1", "--interval", "1h", "--json"}));
  REQUIRE(run.wait_for_output("\n"));
  run.signal(SIGTERM);
  CHECK(run.finish().exit_code == 0);
}

namespace {

// Two guests on a host without free memory: one can grow only when the other shrinks.
const char* const kTight =
    "return { summary = 'tight', duration = 600, host = { total = 2700*MiB, base = 300*MiB },\n"
    "domains = {\n"
    "{ name = 'a', maximum = 2000*MiB, initial = 1000*MiB, free_page_reporting = true,\n"
    "  demand = {{0, 100*MiB}}, cache = {{0, 2000*MiB}} },\n"
    "{ name = 'b', maximum = 2000*MiB, initial = 1000*MiB, free_page_reporting = true,\n"
    "  demand = {{0, 100*MiB}}, cache = {{0, 2000*MiB}} } } }\n";
const char* const kOneToTheOther =
    "return { api = 1, summary = 'one to the other', tick = function(ctx)\n"
    "  if ctx.tick > 4 then return end\n"
    "  for _, d in ipairs(ctx.domains) do\n"
    "    if d.name == 'a' then d:set(600*MiB, 'less') else d:set(1400*MiB, 'more') end\n"
    "  end\nend }\n";

}  // namespace

TEST_CASE("--restore-on-exit restores the memory that domains had") {
  const ScratchFiles files;
  const std::vector<std::string> arguments{
      "--connect",         "sim:" + files.write("tight.lua", kTight),
      "--policy",          files.write("one_to_the_other.lua", kOneToTheOther),
      "--headroom",        "usable",
      "--restore-on-exit", "--json"};
  SUBCASE("at the end of a run") {
    std::vector<std::string> fast = arguments;
    fast.insert(fast.end(), {"--no-wait", "--ticks", "40"});
    const Finished run = run_memcoord(fast);
    CHECK(run.exit_code == 0);
    CHECK(contains(run.output, "\"to_kib\":1433600"));
    CHECK(contains(run.errors, "2 of 2 domains restored to the memory that they had"));
    // A line a domain in the log, and one line with a decision a domain in the journal.
    CHECK(contains(run.errors, "a: 600 MiB -> 1000 MiB (+400 MiB): gets back the memory it had"));
    CHECK(contains(run.errors, "b: 1.37 GiB -> 1000 MiB (-400 MiB): gets back the memory it had"));
    const std::size_t restoring = run.output.find("\"restoring\":true");
    REQUIRE(restoring != std::string::npos);
    CHECK(run.output.find("\"restoring\":true", restoring + 1) == std::string::npos);
    CHECK(std::count(run.output.begin(), run.output.end(), '\n') == 41);
    SUBCASE("and a replay passes over it") {
      const std::string journal = files.write("ticks.jsonl", run.output);
      const Finished replay = run_memcoord(
          {"replay", "--policy", files.write("again.lua", kOneToTheOther), journal, "--json"});
      CHECK(replay.exit_code == 0);
      CHECK(std::count(replay.output.begin(), replay.output.end(), '\n') == 40);
      CHECK_FALSE(contains(replay.output, "\"alike\":false"));
    }
  }
  SUBCASE("after a signal") {
    std::vector<std::string> slow = arguments;
    slow.insert(slow.end(), {"--interval", "500ms"});
    Process run(memcoord_command(slow));
    REQUIRE(run.wait_for_output("\"tick\":8,"));
    run.signal(SIGINT);
    const Finished end = run.finish();
    CHECK(end.exit_code == 0);
    CAPTURE(end.errors);
    CHECK(contains(end.output, "\"to_kib\":1433600"));
    CHECK(contains(end.errors, "2 of 2 domains restored to the memory that they had"));
  }
}

TEST_CASE("table, log and report show sizes in the unit that the options name") {
  const ScratchFiles files;
  const Finished run =
      run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "20", "--policy", "halving",
                    "--units", "KiB", "--log-level", "debug"});
  CHECK(run.exit_code == 0);
  CHECK(contains(run.output, "Actual (KiB)  Available (KiB)  Unused (KiB)"));
  CHECK(contains(run.errors, " KiB -> "));
  for (const char* unit : {"MiB", "GiB"}) {
    CHECK_FALSE(contains(run.output, unit));
    CHECK_FALSE(contains(run.errors, unit));
  }
  const std::string page = files.path("run.html");
  CHECK(run_memcoord({"simulate", "--policy", "halving", "--units", "MiB", "--report", page})
            .exit_code == 0);
  const std::string report = files.read("run.html");
  CHECK(contains(report, "host <b>2168 MiB"));
  CHECK(contains(report, "\"units\":\"MiB\""));
}

TEST_CASE("if no daemon answers, the error names a simulated host as well") {
  const Finished run =
      run_memcoord({"--connect", "qemu+unix:///system?socket=/nonexistent/memcoord-test"});
  CHECK(run.exit_code != 0);
  CHECK(contains(run.errors, "no libvirt daemon answers"));
  CHECK(contains(run.errors, "--connect sim:case1"));
}

TEST_CASE("a reader that goes away ends the run cleanly") {
  Process run(endless({"--json"}));
  REQUIRE(run.wait_for_output("\n"));
  // Between two ticks, so that the next one writes to a closed pipe.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  run.close_output();
  CHECK(run.finish().exit_code == 0);
}

namespace {

// A run of the policy `first` that reloads another from the same file once it has written
// `written`.
Finished reloaded(const std::string& first, const std::string& written) {
  const ScratchFiles files;
  const std::string path = files.write("mine.lua", first);
  Process run(endless({"--json", "--policy", path}));
  REQUIRE(run.wait_for_output(written));
  files.write("mine.lua", policy_text("second words"));
  run.signal(SIGHUP);
  CHECK(run.wait_for_output("second words"));
  run.signal(SIGTERM);
  return run.finish();
}

}  // namespace

TEST_CASE("SIGHUP loads the policy again") {
  const Finished end = reloaded(policy_text("first words"), "first words");
  CHECK(end.exit_code == 0);
  CHECK(contains(end.errors, "policy mine reloaded"));
}

TEST_CASE("a state that cannot be copied is reported, and the policy is reloaded without it") {
  const Finished end = reloaded(
      "return { api = 1, summary = 's', tick = function(ctx) ctx.state.self = ctx.state end }",
      "\n");
  CHECK(end.exit_code == 0);
  CHECK(contains(end.errors, "policy mine starts with an empty ctx.state"));
  CHECK(contains(end.errors, "ctx.state.self contains itself"));
}

TEST_CASE("SIGTERM ends the run during a tick") {
  const ScratchFiles files;
  const std::string path = files.write(
      "mine.lua", "return { api = 1, summary = 's', tick = function(ctx) while true do end end }");
  Process run(endless({"--json", "--policy", path, "--policy-time", "10min",
                       "--policy-instructions", "1000000000000000"}));
  REQUIRE(run.wait_for_errors("policy mine on"));
  // Wait for the tick; a signal before it ends the run as well.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  run.signal(SIGTERM);
  const Finished end = run.finish();
  CHECK(end.exit_code == 0);
  CHECK(contains(end.errors, "asked to end"));
}

TEST_CASE("a policy keeps its state over a reload") {
  const ScratchFiles files;
  const std::string text =
      "return { api = 1, summary = 'counts', tick = function(ctx)\n"
      "  ctx.state.n = (ctx.state.n or 0) + 1\n"
      "  for _, d in ipairs(ctx.domains) do d:grow(1 * MiB, 'VERSION' .. ctx.state.n) end\nend }\n";
  const auto version = [&](const std::string& name) {
    std::string result = text;
    return result.replace(result.find("VERSION"), 7, name);
  };
  const std::string path = files.write("mine.lua", version("old "));
  Process run(endless({"--json", "--policy", path}));
  REQUIRE(run.wait_for_output("old 3"));
  files.write("mine.lua", version("new "));
  run.signal(SIGHUP);
  REQUIRE(run.wait_for_output("new "));
  run.signal(SIGTERM);
  const Finished end = run.finish();
  CHECK_FALSE(contains(end.output, "new 1\""));
}

TEST_CASE("SIGHUP with a broken policy keeps the old one and reports it") {
  const ScratchFiles files;
  const std::string path = files.write("mine.lua", policy_text("good words"));
  Process run(endless({"--json", "--policy", path}));
  REQUIRE(run.wait_for_output("good words"));
  files.write("mine.lua", "return { api = 1,\n");
  run.signal(SIGHUP);
  REQUIRE(run.wait_for_errors("the old one stays: " + path + ":"));
  run.signal(SIGTERM);
  const Finished end = run.finish();
  CHECK(end.exit_code == 0);
  const auto ticks = json_lines(end.output);
  CHECK(contains(ticks.back().line(), "good words"));
}

TEST_CASE("SIGHUP opens a rotated journal anew") {
  const ScratchFiles files;
  Process run(endless({"--json", "--journal", files.path("ticks.jsonl")}));
  REQUIRE(run.wait_for_output("\"tick\":2,"));
  std::filesystem::rename(files.path("ticks.jsonl"), files.path("ticks.jsonl.1"));
  run.signal(SIGHUP);
  REQUIRE(run.wait_for_errors("journal reopened"));
  run.signal(SIGTERM);
  CHECK(run.finish().exit_code == 0);
  CHECK(json_lines(files.read("ticks.jsonl.1")).size() >= 1);
  CHECK(std::filesystem::exists(files.path("ticks.jsonl")));
}

TEST_CASE("a policy that fails does not end the run") {
  const ScratchFiles files;
  const std::string path = files.write(
      "mine.lua", "return { api = 1, summary = 's', tick = function() error('no idea') end }\n");
  const Finished run = run_memcoord(
      {"--connect", "sim:case1", "--no-wait", "--ticks", "3", "--policy", path, "--json"});
  CHECK(json_lines(run.output).size() == 3);
  CHECK(contains(run.errors, "no idea"));
  CHECK(contains(run.errors, "3 policy errors"));
  CHECK(run.exit_code == 1);
}

TEST_CASE("a simulated run with --no-wait does not depend on the speed of the machine") {
  const ScratchFiles files;
  // A hundred million instructions take longer than the time limit of a real tick.
  const std::string path = files.write("slow.lua",
                                       "return { api = 1, summary = 's', tick = function(ctx)\n"
                                       "  for i = 1, 1e8 do end\nend }\n");
  const Finished run =
      run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "1", "--policy", path,
                    "--policy-instructions", "9000000000000000000"});
  CHECK_FALSE(contains(run.errors, "policy error"));
  CHECK(run.exit_code == 0);
}

TEST_CASE("a fallback policy decides while the policy fails") {
  const ScratchFiles files;
  const std::string bad = files.write(
      "bad.lua", "return { api = 1, summary = 's', tick = function() error('no idea') end }\n");
  const std::string good = files.write("good.lua", policy_text("fallback words"));
  const Finished run = run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "8",
                                     "--policy", bad, "--fallback-policy", good, "--json"});
  const auto ticks = json_lines(run.output);
  REQUIRE(ticks.size() == 8);
  CHECK_FALSE(contains(ticks.at(1).line(), "fallback words"));
  CHECK(contains(ticks.back().line(), "fallback words"));
}

TEST_CASE("a dry run moves nothing") {
  const Finished run =
      run_memcoord({"--connect", "sim:case1", "--no-wait", "--ticks", "10", "--dry-run", "--json"});
  CHECK(run.exit_code == 0);
  for (const auto& tick : json_lines(run.output)) CHECK_FALSE(contains(tick.line(), "\"applied\""));
}

TEST_CASE("--exit-when-idle ends a run without active domains") {
  const Finished run = run_memcoord({"--connect", "sim:case1", "--no-wait", "--exit-when-idle",
                                     "--include", "no-such-*", "--json"});
  CHECK(run.exit_code == 0);
  CHECK(json_lines(run.output).size() == 1);
  CHECK(contains(run.errors, "no active domains"));
}

TEST_CASE("a log level of off leaves standard error empty") {
  const Finished run = run_memcoord(
      {"--connect", "sim:case1", "--no-wait", "--ticks", "5", "--log-level", "off", "--json"});
  CHECK(run.exit_code == 0);
  CHECK(run.errors.empty());
}

TEST_CASE("a run on libvirt's test driver samples its domain") {
  const Finished run = run_memcoord({"--connect", "test:///default", "--ticks", "2", "--interval",
                                     "50ms", "--dry-run", "--json"});
  CHECK(run.exit_code == 0);
  const auto ticks = json_lines(run.output);
  REQUIRE(ticks.size() == 2);
  CHECK(contains(ticks.back().line(), "\"test\""));
}
