// Bad input: one clear line on standard error and nothing on standard output; exit code 2 for
// unusable input, 1 for errors at run time.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::testing::Finished;
using memcoord::testing::refusal;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

// The first line of several: a policy's error has a traceback.
std::string first_line(const std::vector<std::string>& arguments) {
  const std::string text = refusal(arguments);
  return text.substr(0, text.find('\n'));
}

// A run on a simulated host that ends by itself, with more options.
std::vector<std::string> simulated(std::vector<std::string> more) {
  std::vector<std::string> arguments{"--connect", "sim:case1", "--no-wait", "--ticks", "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("an unknown option is named with the nearest one") {
  CHECK(refusal({"--polcy", "halving"}) == "--polcy: no such option; did you mean --policy?");
  CHECK(refusal({"--polcy=halving", "2"}) == "--polcy: no such option; did you mean --policy?");
  CHECK(refusal({"--qqqqqq"}) == "--qqqqqq: no such option; see 'memcoord --help'");
  CHECK(refusal({"-Z"}) == "-Z: no such option; see 'memcoord --help'");
  CHECK(refusal({"policies", "--jsn"}) == "--jsn: no such option; did you mean --json?");
}

TEST_CASE("an error is one line for any name") {
  CHECK(refusal({"--policy", "a\nb\x1b[2J"}) ==
        "a b?[2J: no such policy; 'memcoord policies' lists them");
}

TEST_CASE("an option without its value is refused") {
  CHECK(refusal({"--policy"}) == "--policy: needs a value; see 'memcoord --help'");
  CHECK(refusal({"--policy", ""}) == "--policy: the value is empty");
}

TEST_CASE("a value for a flag is refused") {
  CHECK(refusal({"--keep-periods=3"}) ==
        "--keep-periods: takes no value except true and false; see 'memcoord --help'");
  CHECK(refusal({"simulate", "--keep-periods=3"}) ==
        "--keep-periods: takes no value except true and false; see 'memcoord simulate --help'");
}

TEST_CASE("one argument too many is refused") {
  CHECK(refusal({"2", "3"}) == "3: one argument too many; see 'memcoord --help'");
}

TEST_CASE("options of the run before a command are refused") {
  CHECK(refusal({"--dry-run", "policies"}) ==
        "--dry-run: is not for 'memcoord policies'; see 'memcoord policies --help'");
  CHECK(refusal({"--connect", "test:///default", "status"}) ==
        "--connect: is not for 'memcoord status'; see 'memcoord status --help'");
}

TEST_CASE("a short option of the run that a command has as a long one only leads to that") {
  CHECK(refusal({"events", "-j", "ticks.jsonl"}) == "-j: no such option; did you mean --journal?");
}

TEST_CASE("an interval that is not a time is refused") {
  CHECK(refusal(simulated({"0"})) ==
        "INTERVAL: '0' is not more than zero; expected a time such as 2, 0.5, 500ms, 2s or 1m");
  CHECK(refusal(simulated({"--interval", "-1"})) ==
        "--interval: '-1' is not more than zero; expected a time such as 2, 0.5, 500ms, 2s or 1m");
  CHECK(refusal(simulated({"-1"})) ==
        "INTERVAL: '-1' is not more than zero; expected a time such as 2, 0.5, 500ms, 2s or 1m");
  CHECK(refusal(simulated({"--min-interval", "-1"})) ==
        "--min-interval: '-1' is less than zero; expected a time such as 0.2, 200ms or 1s, or 0 "
        "for no early ticks");
  CHECK(refusal(simulated({"2x"})) ==
        "INTERVAL: '2x' is not a time; expected seconds, or a number with its unit, such as 2, "
        "0.5, 500ms, 2s or 1m");
  CHECK(refusal(simulated({"soon"})) ==
        "soon: is neither a command nor an interval; see 'memcoord --help'");
  CHECK(refusal(simulated({"25h"})) == "INTERVAL: '25h' is too long; the longest is 24h");
}

TEST_CASE("a number of ticks that is not a number over 0 is refused") {
  CHECK(refusal({"--ticks", "0"}) ==
        "--ticks: '0' is too small; expected a whole number of at least 1");
  CHECK(refusal({"--ticks", "many"}) ==
        "--ticks: 'many' is not a whole number; expected a whole number of at least 1");
}

TEST_CASE("a laxer floor is refused with the smallest allowed value") {
  CHECK(contains(refusal(simulated({"--domain-floor", "50MiB"})), "--domain-floor: "));
  CHECK(contains(refusal(simulated({"--domain-floor", "50MiB"})), "100 MiB"));
  CHECK(contains(refusal(simulated({"--host-floor", "1MiB"})), "--host-floor: "));
  CHECK(contains(refusal(simulated({"--host-floor", "1MiB"})), "200 MiB"));
  CHECK(contains(refusal(simulated({"--max-reclaim", "60%"})), "--max-reclaim: "));
  CHECK(refusal({"--domain-floor", "lots"}).starts_with("--domain-floor: "));
  CHECK(refusal({"--max-reclaim", "half"}) ==
        "--max-reclaim: 'half' is not a share; expected a share such as 50% or 0.5");
}

TEST_CASE("a word that is not a choice is refused with the choices") {
  CHECK(refusal({"--headroom", "free"}) ==
        "--headroom: 'free' is not a choice; expected larger, unused, usable");
  CHECK(refusal({"--color", "yes"}) ==
        "--color: 'yes' is not a choice; expected auto, always, never");
}

TEST_CASE("a missing policy is named with the nearest one") {
  CHECK(refusal(simulated({"--policy", "halvign"})) ==
        "halvign: no such policy; did you mean halving? 'memcoord policies' lists them");
  CHECK(refusal(simulated({"--policy", "no/such.lua"})) == "no/such.lua: no such file");
  CHECK(refusal(simulated({"--fallback-policy", "zzzz"})) ==
        "zzzz: no such policy; 'memcoord policies' lists them");
}

TEST_CASE("a missing scenario is named with the nearest one") {
  CHECK(contains(refusal({"--connect", "sim:cse1", "--ticks", "1"}), "case1"));
  CHECK(contains(refusal({"--connect", "sim:no/such.lua", "--ticks", "1"}), "no/such.lua"));
}

TEST_CASE("a policy with a syntax error is named by file and line") {
  const ScratchFiles files;
  const std::string path = files.write("broken.lua", "return {\n  api = = 1,\n}\n");
  const std::string line = first_line(simulated({"--policy", path}));
  CHECK(line.starts_with(path + ":2: "));
}

TEST_CASE("a policy for another version of the API is refused") {
  const ScratchFiles files;
  const std::string path =
      files.write("future.lua", "return { api = 99, summary = 's', tick = function() end }\n");
  const std::string line = first_line(simulated({"--policy", path}));
  CHECK(line.starts_with(path));
  CHECK(contains(line, "99"));
}

TEST_CASE("a file that does not return a table is refused as a policy") {
  const ScratchFiles files;
  const std::string path = files.write("nothing.lua", "local x = 1\n");
  const std::string line = first_line(simulated({"--policy", path}));
  CHECK(line.starts_with(path));
  CHECK(contains(line, "table"));
}

TEST_CASE("a misspelt parameter is named with the nearest one") {
  const std::string line =
      first_line(simulated({"--policy", "halving", "--set", "starved_belwo=1MiB"}));
  CHECK(contains(line, "starved_belwo"));
  CHECK(contains(line, "starved_below"));
}

TEST_CASE("a parameter of the wrong type is refused") {
  const std::string line =
      first_line(simulated({"--policy", "halving", "--set", "starved_below=often"}));
  CHECK(contains(line, "starved_below"));
  CHECK(contains(line, "often"));
  CHECK(refusal({"--set", "starved_below"}) ==
        "--set: 'starved_below' is not name=value; expected an assignment such as "
        "starved_below=200MiB");
}

TEST_CASE("a size without a unit is refused, with the sizes that it may mean") {
  const ScratchFiles files;
  const std::string trace = files.write("t.csv", "t_s,a\nprovisioned_kib,4096\n0,50\n300,60\n");
  const std::string config = files.write("m.toml", "host-floor = 64\n");
  const std::string parameter = files.write("p.toml", "[set]\nstarved_below = 204800\n");
  struct Row {
    std::vector<std::string> words;
    std::string line;
  };
  const std::string small = "'64' has no unit; did you mean 64MiB or 64GiB?";
  const std::string as_parameter =
      "--set starved_below: '204800' has no unit; did you mean 204800KiB or 204800MiB?";
  for (const auto& [words, line] : std::vector<Row>{
           {simulated({"--host-floor", "64"}), "--host-floor: " + small},
           {simulated({"--domain-floor=64"}), "--domain-floor: " + small},
           {simulated({"--host-memory", "64"}), "--host-memory: " + small},
           {simulated({"--policy-memory", "64"}), "--policy-memory: " + small},
           {simulated({"-p", "halving", "--set", "starved_below=204800"}), as_parameter},
           {simulated({"--config", config}), config + ":1:14: host-floor: " + small},
           {simulated({"-p", "halving", "--config", parameter}),
            parameter + ":2:17: set.starved_below: '204800' has no unit; did you mean 204800KiB or "
                        "204800MiB?"},
           {{"check", "halving", "--set", "starved_below=204800"}, as_parameter},
           {{"simulate", "--host-floor", "64"}, "--host-floor: " + small},
           {{"simulate", "-p", "halving", "--set", "starved_below=204800"}, as_parameter},
           {{"compare", "-p", "halving:starved_below=204800"}, as_parameter},
           {{"density", "-t", trace, "--host", "64"}, "--host: " + small},
           {{"density", "-p", "halving", "-t", trace, "--set", "starved_below=204800"},
            as_parameter},
           {{"domain", "set", "test", "--minimum", "64"}, "--minimum: " + small},
           {{"domain", "set", "test", "--maximum", "64"}, "--maximum: " + small},
       }) {
    const std::string& last = words.back();
    CAPTURE(last);
    CHECK(refusal(words) == line);
  }
}

TEST_CASE("a journal that cannot be written is refused at the start") {
  const std::string line = refusal(simulated({"--journal", "/nonexistent/ticks.jsonl"}));
  CHECK(line.starts_with("/nonexistent/ticks.jsonl: "));
  CHECK(contains(line, "No such file or directory"));
}

TEST_CASE("an error in a configuration is named by file, line and column") {
  const ScratchFiles files;
  const std::string path = files.write("m.toml", "policy = \"halving\"\nticks 5\n");
  CHECK(refusal({"--config", path}) ==
        path +
            ":2:7: not TOML: key-value pair: expected '=', saw '5'; expected a line such as "
            "policy = \"halving\"");
  CHECK(refusal({"--config", files.write("q.toml", "host-floor = 64GiB\n")}) ==
        files.path("q.toml") +
            ":1:14: host-floor: the value 64GiB has no quotes; write host-floor = \"64GiB\"");
  CHECK(refusal({"--config", files.write("n.toml", "polcy = \"halving\"\n")}) ==
        files.path("n.toml") + ":1:1: polcy: no such setting; did you mean policy?");
  CHECK(refusal(simulated({"--config", files.write("p.toml", "policy = \"halvign\"\n")})) ==
        files.path("p.toml") +
            ":1:10: policy: halvign: no such policy; did you mean halving? 'memcoord policies' "
            "lists them");
  const std::string no_size =
      "is not a size of memory; write a size as 512MiB, 1.5GiB or 150000KiB, or in powers of 1000 "
      "as 500MB";
  const std::string set = files.write("s.toml", "policy = \"band\"\n[set]\nlow = \"lots\"\n");
  CHECK(refusal(simulated({"--config", set})) == set + ":3:7: set.low: 'lots' " + no_size);
  CHECK(refusal(simulated({"--config", set, "--set", "low=few"})) == "--set low: 'few' " + no_size);
  CHECK(refusal({"--config", files.path("none.toml")}) ==
        files.path("none.toml") + ": cannot read the configuration: No such file or directory");
}

TEST_CASE("--metrics-file is refused if node_exporter does not read it") {
  CHECK(refusal(simulated({"--metrics-file", "x.txt"})) ==
        "--metrics-file: 'x.txt' does not end in .prom; node_exporter reads *.prom only");
}

TEST_CASE("--no-wait is refused on a real host") {
  CHECK(refusal({"--no-wait", "--connect", "test:///default"}) ==
        "--no-wait: works on simulated hosts only; add --connect sim:");
}

TEST_CASE("a connection that cannot be opened ends the run at its start") {
  const ScratchFiles files;
  CHECK(
      contains(refusal({"--connect", "qemu:///session?socket=" + files.path("none")}, 1), "none"));
  CHECK(refusal({"--connect", "nosuchdriver:///"}).starts_with("nosuchdriver:///"));
  CHECK(refusal({"--connect", "qemu://system"}).starts_with("qemu://system"));
}

TEST_CASE("settings of a missing domain, and a change without settings, are refused") {
  const std::string line = refusal({"domain", "show", "nobody", "--connect", "test:///default"}, 2);
  CHECK(contains(line, "nobody"));
  CHECK(refusal({"domain", "set", "test", "--connect", "test:///default"}) ==
        "test: nothing to set; give a setting such as --minimum 1GiB, see 'memcoord domain set "
        "--help'");
  CHECK(refusal({"domain", "set"}) == "NAME: is missing; see 'memcoord domain set --help'");
  CHECK(refusal({"domain", "set", "test", "--minimum", "few"}).starts_with("--minimum: "));
  CHECK(refusal({"domain", "show", "--connect", "sim:"}) ==
        "sim:: a simulated domain's settings are in its scenario; edit the scenario file");
}

TEST_CASE("malformed metadata is reported once with its domain, which is left alone") {
  const ScratchFiles files;
  const std::string host =
      files.write("host.xml",
                  "<node><cpu><nodes>1</nodes></cpu><memory>16777216</memory><domain "
                  "type='test'><name>web</name>"
                  "<memory>4194304</memory><os><type>hvm</type></os><metadata><m:domain "
                  "xmlns:m='https://memcoord.org/xmlns/domain/1.0' weight='heavy'/></metadata>"
                  "<devices><memballoon model='virtio'/></devices></domain></node>");
  const std::string complaint =
      "memcoord settings of domain 'web': weight=\"heavy\" is not a number over 0; start afresh "
      "with: memcoord domain set -c test://" +
      host + " web --clear all";
  CHECK(refusal({"domain", "show", "web", "--connect", "test://" + host}) == complaint);
  const Finished run = run_memcoord({"--connect", "test://" + host, "--ticks", "2", "50ms"});
  CHECK(run.exit_code == 0);
  CHECK(contains(run.output, "settings cannot be used"));
  const auto said = run.errors.find(complaint);
  REQUIRE(said != std::string::npos);
  CHECK(run.errors.find(complaint, said + 1) == std::string::npos);
}

TEST_CASE("an unknown shell is refused") {
  CHECK(refusal({"completion", "csh"}) == "csh: unknown shell; expected bash, zsh or fish");
}
