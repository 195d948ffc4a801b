// simulate, compare, density, replay and traces of the built program.

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::json_of;
using memcoord::testing::memcoord_command;
using memcoord::testing::Process;
using memcoord::testing::refusal;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

std::size_t lines_in(const std::string& path) {
  std::ifstream file(path);
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

std::size_t lines_of_text(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Four VMs over two hours, of which one after the other needs more.
const char* const kTrace =
    "t_s,a,b,c,d\n"
    "provisioned_kib,1048576,1048576,1048576,1048576\n"
    "0,204800,204800,204800,204800\n"
    "1800,716800,204800,204800,204800\n"
    "3600,204800,716800,204800,204800\n"
    "5400,204800,204800,716800,204800\n";

}  // namespace

TEST_CASE("simulate prints figures, domains and the guard's rules") {
  const Finished run = run_memcoord({"simulate", "--policy", "halving", "--scenario", "case1"});
  CHECK(run.exit_code == 0);
  CHECK(run.errors.empty());
  for (const char* text : {"halving on case1", "STALLED", "builder", "the guard limited moves: "}) {
    CAPTURE(text);
    CHECK(contains(run.output, text));
  }
}

TEST_CASE("simulate prints the same bytes in every run") {
  const std::vector<std::string> words{"simulate", "-p", "adaptive", "-S", "churn", "--json"};
  CHECK(run_memcoord(words).output == run_memcoord(words).output);
}

TEST_CASE("simulate's JSON has every figure and an entry for each domain") {
  const auto json = json_of(run_memcoord({"simulate", "-p", "gradual", "-S", "case2", "--json"}));
  CHECK(json.at("policy") == "gradual");
  CHECK(json.at("scenario") == "case2");
  CHECK(json.at("domains").size() == 4);
  for (const char* figure : {"stalled", "deficit_gib_hours", "oom", "host_oom", "breach_s",
                             "overhead", "churn_mib_h", "ticks"}) {
    CAPTURE(figure);
    CHECK(json.at(figure).is_number());
  }
}

TEST_CASE("simulate writes a journal with a line a tick") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  const auto json = json_of(
      run_memcoord({"simulate", "-S", "case3", "--interval", "5", "--journal", journal, "--json"}));
  CHECK(json.at("ticks") == lines_in(journal));
}

TEST_CASE("simulate writes a report without links to other files") {
  const ScratchFiles scratch;
  const std::string report = scratch.path("run.html");
  const Finished run = run_memcoord({"simulate", "-S", "case1", "--report", report});
  CHECK(run.exit_code == 0);
  std::ifstream file(report);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(contains(text.str(), "<html"));
  CHECK(contains(text.str(), "builder"));
  CHECK_FALSE(contains(text.str(), "src=\"http"));
  CHECK_FALSE(contains(text.str(), "href=\"http"));
}

TEST_CASE("compare prints policies by scenarios, with static sizing and the clairvoyant bound") {
  const auto rows = json_of(
      run_memcoord({"compare", "-p", "halving", "adaptive", "-S", "case1", "case3", "--json"}));
  REQUIRE(rows.size() == 8);
  std::vector<std::string> names;
  for (const Json& row : rows.items()) {
    names.push_back(row.at("scenario").string() + "/" + row.at("policy").string());
  }
  CHECK(names == std::vector<std::string>{"case1/halving", "case1/adaptive", "case1/static sizing",
                                          "case1/clairvoyant bound", "case3/halving",
                                          "case3/adaptive", "case3/static sizing",
                                          "case3/clairvoyant bound"});
  for (const Json& row : rows.items()) CHECK(row.at("stalled").is_number());
}

TEST_CASE("compare runs one policy with two settings") {
  const Finished run = run_memcoord(
      {"compare", "-p", "halving", "halving:starved_below=250MiB", "-S", "case1", "--csv"});
  CHECK(run.exit_code == 0);
  CHECK(run.output.starts_with("scenario,policy,stalled"));
  CHECK(contains(run.output, "case1,halving:starved_below=250MiB,"));
}

TEST_CASE("compare without options has a table for each bundled scenario") {
  const Finished run = run_memcoord({"compare", "--interval", "5"});
  CHECK(run.exit_code == 0);
  for (const char* scenario : {"big-guests: ", "burst: ", "cache-heavy: ", "case1: ", "case2: ",
                               "case3: ", "churn: ", "diurnal-100: ", "guest-page-cache: ",
                               "host-page-cache: ", "numa: ", "scarce: ", "silent: "}) {
    CAPTURE(scenario);
    CHECK(contains(run.output, scenario));
  }
  CHECK(contains(run.output, "headroom larger)"));
}

TEST_CASE(
    "adaptive loses no workload in any bundled scenario, and the default headroom is never worse "
    "than the better of its two figures") {
  const auto rows_by = [](const std::vector<std::string>& headroom) {
    std::vector<std::string> arguments{"compare", "-p", "adaptive", "--json"};
    arguments.insert(arguments.end(), headroom.begin(), headroom.end());
    return json_of(run_memcoord(arguments)).items();
  };
  const std::vector<Json> by_default = rows_by({});
  const std::vector<Json> by_unused = rows_by({"--headroom", "unused"});
  const std::vector<Json> by_usable = rows_by({"--headroom", "usable"});
  REQUIRE(by_default.size() == by_unused.size());
  REQUIRE(by_default.size() == by_usable.size());
  std::size_t scenarios = 0;
  for (std::size_t i = 0; i < by_default.size(); ++i) {
    const Json& row = by_default[i];
    if (row.at("policy") != "adaptive") continue;
    ++scenarios;
    CAPTURE(row.at("scenario").string());
    CHECK(row.at("oom") == 0);
    CHECK(row.at("host_oom") == 0);
    for (const char* figure : {"stalled", "breach_s"}) {
      CAPTURE(figure);
      const double best =
          std::min(by_unused[i].at(figure).number(), by_usable[i].at(figure).number());
      CHECK(row.at(figure).number() <= best);
    }
  }
  CHECK(scenarios == 13);
}

TEST_CASE("a simulated run with --headroom unused reports that page cache would help") {
  const std::vector<std::string> arguments{"simulate", "--scenario", "guest-page-cache"};
  const Finished by_default = run_memcoord(arguments);
  CHECK(by_default.exit_code == 0);
  CHECK(contains(by_default.output, "headroom larger"));
  CHECK_FALSE(contains(by_default.output, "--headroom unused"));
  std::vector<std::string> strict = arguments;
  strict.insert(strict.end(), {"--headroom", "unused"});
  const Finished by_unused = run_memcoord(strict);
  CHECK(contains(by_unused.output, "headroom unused\n"));
  CHECK(contains(by_unused.output, "note: files: counts as short by --headroom unused"));
  // Each note once.
  std::set<std::string> notes;
  std::istringstream lines(by_unused.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("note: ")) CHECK(notes.insert(line).second);
  }
  CHECK(contains(by_unused.output, "2 other domains likewise"));
}

TEST_CASE("density finds how many domains fit, with static sizing and with the bound") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("trace.csv", kTrace);
  const Finished run = run_memcoord({"density", "--policy", "adaptive", "--traces", trace, "--host",
                                     "2560MiB", "--footprint", "0", "--orders", "2", "--interval",
                                     "30", "--max-stalled", "1%", "--json"});
  REQUIRE(run.exit_code == 0);
  const auto json = json_of(run);
  CHECK(json.at("static") == 2);
  CHECK(json.at("bound") == 4);
  CHECK(json.at("vms").number() >= 2);
  CHECK(json.at("vms").number() <= 4);
  CHECK(json.at("ratio").number() == doctest::Approx(json.at("vms").number() / 2));
  CHECK(json.at("of_bound").number() == doctest::Approx(json.at("vms").number() / 4));
  CHECK(json.at("stalled").number() <= 0.01);
  CHECK(json.at("oom") == 0);
  CHECK(json.at("orders").size() == 2);
}

TEST_CASE(
    "density says where the trace has no more domains to serve, and measures as many as asked") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("trace.csv", kTrace);
  const std::vector<std::string> words{"density",  "-t",       trace, "--host",     "64GiB", "-p",
                                       "adaptive", "--orders", "1",   "--interval", "30"};
  const Finished all = run_memcoord(words);
  CHECK(contains(all.output, "domains served      4.0"));
  CHECK(
      contains(all.output,
               "note: these are all the 4 domains that the trace gives; the host may serve more"));
  auto measured = words;
  measured.insert(measured.end(), {"--vms", "3"});
  const Finished three = run_memcoord(measured);
  CHECK(contains(three.output, "domains measured    3.0"));
  CHECK_FALSE(contains(three.output, "note: these are all"));
  CHECK_FALSE(contains(three.output, "of the bound"));
  measured.back() = "5";
  const Finished five = run_memcoord(measured);
  CHECK(five.exit_code == 2);
  CHECK(five.errors ==
        "memcoord: --vms: is more than the 4 domains of the trace; expected at most 4\n");
}

TEST_CASE("density agrees with a run of as many domains on a trace with uneven rows") {
  const ScratchFiles scratch;
  // All of them need much for one second in a day.
  const std::string trace = scratch.write("uneven.csv",
                                          "t_s,a,b,c,d\n"
                                          "provisioned_kib,1048576,1048576,1048576,1048576\n"
                                          "0,204800,204800,204800,204800\n"
                                          "43200,921600,921600,921600,921600\n"
                                          "43201,204800,204800,204800,204800\n"
                                          "86400,204800,204800,204800,204800\n");
  const std::vector<std::string> words{"density", "-t",         trace, "--host",
                                       "2GiB",    "--orders",   "1",   "--footprint",
                                       "0",       "--interval", "60",  "--json"};
  auto judged = words;
  judged.insert(judged.end(), {"--vms", "4"});
  const auto all = json_of(run_memcoord(judged));
  CHECK(all.at("vms") == 4);
  CHECK(all.at("stalled").number() <= 0.0001);
  const auto found = json_of(run_memcoord(words));
  CHECK(found.at("vms") == 4);
  CHECK(found.at("bound") == 4);
}

TEST_CASE("the workbench refuses unusable input with one line and exit code 2") {
  const ScratchFiles scratch;
  const std::string hole = scratch.write("hole.csv", "t_s,a\nprovisioned_kib,100\n0,50\n300,\n");
  const std::string odd = scratch.write("odd.lua", "return { duraton = 5 }");
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord({"simulate", "-S", "case1", "-j", journal}).exit_code == 0);
  struct RuleInput {
    std::vector<std::string> words;
    std::string message;
  };
  const std::vector<RuleInput> cases{
      {{"simulate", "-S", "cas1"}, "case1"},
      {{"simulate", "-p", "halvin"}, "halving"},
      {{"simulate", "-S", odd}, "duration"},
      {{"simulate", "--interval", "0"}, "more than zero"},
      {{"simulate", "--report", "/nonexistent/x.html"}, "/nonexistent"},
      {{"simulate", "--journal", "/nonexistent/x.jsonl"}, "/nonexistent"},
      {{"simulate", "--set", "nosuch=1"}, "nosuch"},
      {{"compare", "-p", "halving:starved_below"}, "halving:starved_below"},
      {{"compare", "-p", "halving:x=1,y"}, "POLICY:NAME=VALUE"},
      {{"compare", "--json", "--csv"}, "--csv"},
      {{"density"}, "--traces"},
      {{"density", "-t", "/nonexistent.csv"}, "/nonexistent.csv"},
      {{"density", "-t", hole}, "hole.csv:4"},
      {{"density", "-t", hole, "--host", "-1GiB"}, "--host"},
      {{"density", "-t", hole, "--max-stalled", "120%"}, "--max-stalled"},
      {{"density", "-t", hole, "--orders", "0"}, "--orders"},
      {{"density", "-t", hole, "--keep-periods"}, "--keep-periods"},
      {{"density", "-t", journal, journal}, "are there twice"},
      {{"density", "-t", journal, hole}, "hole.csv: is not a journal"},
      {{"density", "-t", journal, "--host", "100MiB"}, "leaves guests nothing"},
      {{"density", "-t", journal, "--step", "500ms"}, "whole seconds"},
      {{"density", "-t", journal, "--vms", "5", "--fill", "50%"}, "--fill: contradicts --vms"},
      {{"density", "-t", journal, "--vms", "1000"},
       "--vms: is more than 64, which are 16 of each recorded domain; expected at most 64"},
      {{"simulate", "-t", journal, "-S", "case1"}, "--scenario: contradicts --traces"},
      {{"simulate", "--host", "4GiB"}, "--host: needs --traces"},
      {{"compare", "-t", journal, "-S", "case1"}, "--scenarios: contradicts --traces"},
      {{"compare", "--step", "5s"}, "--step: needs --traces"},
  };
  for (const RuleInput& one : cases) {
    std::string called;
    for (const std::string& word : one.words) called += word + " ";
    CAPTURE(called);
    const Finished run = run_memcoord(one.words);
    CHECK(run.exit_code == 2);
    CHECK(run.output.empty());
    CHECK(contains(run.errors, one.message));
    CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
  }
}

TEST_CASE("replay finds no difference if the same policy decides again") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord(
              {"simulate", "-p", "halving", "-S", "case3", "--min-interval", "0", "-j", journal})
              .exit_code == 0);
  const Finished same = run_memcoord({"replay", "--policy", "halving", journal});
  CHECK(same.exit_code == 0);
  CHECK(contains(same.output, " 0 decisions differ"));
  const Finished other = run_memcoord({"replay", "--policy", "target", journal, journal});
  CHECK(other.exit_code == 0);
  CHECK_FALSE(contains(other.output, " 0 decisions differ"));
  CHECK(contains(other.output, "in 180 ticks"));
}

TEST_CASE("replay starts each run of a journal afresh and reports where it begins") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord(
              {"simulate", "-p", "adaptive", "-S", "case3", "--min-interval", "0", "-j", journal})
              .exit_code == 0);
  // Another run of the same boot is appended: the host's clock goes on, the ticks count anew.
  std::istringstream first(scratch.read("run.jsonl"));
  std::ofstream appended(journal, std::ios::app);
  for (std::string line; std::getline(first, line);) {
    Json tick = Json::parse(line).value();
    tick.set("monotonic_s", tick.at("monotonic_s").number() + 120);
    appended << tick.line() << '\n';
  }
  appended.close();
  const Finished same = run_memcoord({"replay", "--policy", "adaptive", journal});
  CHECK(same.exit_code == 0);
  CHECK(contains(same.output, "in 180 ticks of 2 runs: 0 decisions differ"));
  CHECK(contains(same.output, "a new run of memcoord begins: " + journal));
  std::istringstream lines(run_memcoord({"replay", "-p", "adaptive", "--json", journal}).output);
  std::vector<std::size_t> ticks_of(3);
  for (std::string line; std::getline(lines, line);) {
    ++ticks_of.at(static_cast<std::size_t>(Json::parse(line).value().at("run").number()));
  }
  CHECK(ticks_of == std::vector<std::size_t>{0, 90, 90});
}

TEST_CASE("replay prints the times of every year that a journal can have") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  run_memcoord({"simulate", "-p", "halving", "-S", "case1", "-j", journal});
  std::istringstream lines(scratch.read("run.jsonl"));
  std::string late;
  for (std::string line; std::getline(lines, line);) {
    Json tick = Json::parse(line).value();
    tick.set("time", "9999-12-31T23:59:59.000Z");
    late += tick.line() + "\n";
  }
  const std::string far = scratch.write("far.jsonl", late);
  CHECK(contains(run_memcoord({"replay", "--all", far}).output, "9999-12-31 23:59:59"));
}

TEST_CASE("replay prints each tick as a line of JSON") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  run_memcoord({"simulate", "-p", "halving", "-S", "case1", "-j", journal});
  const Finished run = run_memcoord({"replay", "-p", "band", "--json", journal});
  std::istringstream lines(run.output);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    CHECK(Json::parse(line).value().at("domains").is_array());
  }
  CHECK(count == lines_in(journal));
}

TEST_CASE("replay reads an incomplete journal up to its last complete line and reports it") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  run_memcoord({"simulate", "-p", "halving", "-S", "case1", "--min-interval", "0", "-j", journal});
  const std::string whole = scratch.read("run.jsonl");
  const std::string cut = scratch.write("cut.jsonl", whole.substr(0, whole.size() - 40));
  const Finished run = run_memcoord({"replay", "-p", "halving", cut});
  CHECK(run.exit_code == 0);
  CHECK(contains(run.errors, "is cut off; read up to line 89"));
  CHECK(contains(run.output, "in 89 ticks"));
}

TEST_CASE("replay names the file and line of text that is not a journal") {
  const ScratchFiles scratch;
  const std::string damaged = scratch.write("damaged.jsonl", "{\"format\":\"other\"}\nrubbish\n");
  for (const std::string& path : {damaged, std::string("/nonexistent.jsonl")}) {
    const Finished run = run_memcoord({"replay", path});
    CHECK(run.exit_code == 2);
    CHECK(contains(run.errors, path));
    CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
  }
}

TEST_CASE("traces shows a trace and writes a part that it can read again") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("trace.csv", kTrace);
  const Finished table = run_memcoord({"traces", trace});
  CHECK(table.exit_code == 0);
  for (const char* text : {"4 VMs", "PROVISIONED", "all at once", "30 min apart"}) {
    CAPTURE(text);
    CHECK(contains(table.output, text));
  }
  const std::string part = scratch.path("part.csv");
  const Finished cut = run_memcoord(
      {"traces", trace, "--pick", "[ab]", "--pick", "b", "--from", "30m", "-o", part, "--json"});
  REQUIRE(cut.exit_code == 0);
  const auto again = json_of(run_memcoord({"traces", part, "--json"}));
  CHECK(again == json_of(cut));
  CHECK(again.at("rows") == 3);
  CHECK(again.at("vms").size() == 1);
  CHECK(again.at("vms").at(0).at("max_kib") == 716800);
}

TEST_CASE("density on several hosts fills hosts like the recorded one") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord({"simulate", "-p", "halving", "-S", "case1", "-j", journal}).exit_code == 0);
  std::vector<std::string> words{"density", "-t", journal,    "-p", "halving",
                                 "--vms",   "4",  "--orders", "1",  "--json"};
  const double one = json_of(run_memcoord(words)).at("available").number();
  words.insert(words.end(), {"--hosts", "3"});
  CHECK(json_of(run_memcoord(words)).at("available").number() > 2 * one);
  words = {"density", "-t", journal, "-p", "halving", "--hosts", "3", "--orders", "1"};
  CHECK(contains(run_memcoord(words).output,
                 "This host runs 4 domains. Static sizing fits 3 on 3 "
                 "hosts; halving would serve "));
}

TEST_CASE("of a journal of more than a day, density tries one order unless told otherwise") {
  const ScratchFiles scratch;
  const std::string scenario = scratch.write(
      "day.lua", "return { duration = 90000, domains = { { name = 'a' }, { name = 'b' } } }");
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord({"simulate", "-S", scenario, "-i", "1m", "-j", journal}).exit_code == 0);
  std::vector<std::string> words{"density", "-t", journal, "--vms", "2", "-i", "1m", "--json"};
  CHECK(json_of(run_memcoord(words)).at("orders").size() == 1);
  words.insert(words.end(), {"--orders", "3"});
  CHECK(json_of(run_memcoord(words)).at("orders").size() == 3);
}

TEST_CASE("density, compare and simulate take a journal as their demand") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord({"simulate", "-p", "halving", "-S", "case1", "-j", journal}).exit_code == 0);
  const Finished density =
      run_memcoord({"density", "-t", journal, "--orders", "2", "--interval", "5"});
  CHECK(density.exit_code == 0);
  CHECK(
      density.output.starts_with("This host runs 4 domains. Static sizing fits 1; adaptive would "
                                 "serve "));
  CHECK(contains(density.output, "note: the host has 2.12 GiB; it used up to "));
  CHECK(contains(density.output, "note: to fill the host, each recorded domain stands for up to "));
  CHECK(contains(density.output, "note: the recording lasts "));
  const auto json =
      json_of(run_memcoord({"density", "-t", journal, "--vms", "4", "--orders", "1", "--json"}));
  CHECK(json.at("recorded").at("domains") == 4);
  CHECK(json.at("recorded").at("at_once") == 4);

  const auto compared =
      json_of(run_memcoord({"compare", "-p", "halving", "adaptive", "-t", journal, "--json"}));
  const auto original =
      json_of(run_memcoord({"compare", "-p", "halving", "adaptive", "-S", "case1", "--json"}));
  REQUIRE(compared.size() == original.size());
  for (std::size_t row = 0; row < compared.size(); ++row) {
    CAPTURE(row);
    CHECK(compared.at(row).at("policy") == original.at(row).at("policy"));
    CHECK(compared.at(row).at("stalled").number() ==
          doctest::Approx(original.at(row).at("stalled").number()).epsilon(0.1));
  }
  const Finished simulated = run_memcoord({"simulate", "-t", journal});
  CHECK(simulated.exit_code == 0);
  CHECK(contains(simulated.output, "adaptive on run.jsonl: the demand of "));
}

TEST_CASE("traces writes a journal's demand, which density reads alike") {
  const ScratchFiles scratch;
  const std::string journal = scratch.path("run.jsonl");
  REQUIRE(run_memcoord({"simulate", "-S", "case1", "-j", journal}).exit_code == 0);
  const std::string csv = scratch.path("run.csv");
  const Finished written = run_memcoord({"traces", journal, "-o", csv, "--step", "5s"});
  CHECK(written.exit_code == 0);
  CHECK(contains(written.output, "4 VMs over 85 s, 18 rows, 5 s apart"));
  const auto parts = json_of(run_memcoord({"traces", csv, "--json"}));
  CHECK(parts == json_of(run_memcoord({"traces", journal, "--step", "5s", "--json"})));
  const auto footprints = json_of(run_memcoord(
      {"density", "-t", csv, "--host", "2GiB", "--orders", "1", "--vms", "4", "--json"}));
  const auto none = json_of(run_memcoord({"density", "-t", csv, "--host", "2GiB", "--orders", "1",
                                          "--vms", "4", "--footprint", "0", "--json"}));
  CHECK(footprints.at("stalled") == none.at("stalled"));
}

TEST_CASE("traces weighs each row by how long it lasts") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("uneven.csv",
                                          "t_s,a\nprovisioned_kib,4000\n"
                                          "0,1000\n97,4000\n98,1000\n99,1000\n");
  const auto json = json_of(run_memcoord({"traces", trace, "--json"}));
  CHECK(json.at("vms").at(0).at("mean_kib") == 1030);
  CHECK(json.at("total").at("mean_kib") == 1030);
  CHECK(json.at("step_s") == 1);
  CHECK(json.at("longest_step_s") == 97);
  CHECK(contains(run_memcoord({"traces", trace}).output,
                 "1 VM over 99 s, 4 rows, 1 s to 97 s apart"));
}

TEST_CASE("traces refuses unusable input with one line") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("trace.csv", kTrace);
  const std::string backwards =
      scratch.write("back.csv", "t_s,a\nprovisioned_kib,100\n300,50\n0,50\n");
  const std::string empty = scratch.write("empty.csv", "");
  const std::string endless =
      scratch.write("endless.csv", "t_s,a\nprovisioned_kib,100\n0,50\n9000000000000000000,50\n");
  struct RuleInput {
    std::vector<std::string> words;
    std::string message;
  };
  const std::vector<RuleInput> cases{
      {{"traces", backwards}, "back.csv:4"},
      {{"traces", empty}, "empty.csv"},
      {{"traces", endless}, "endless.csv:4"},
      {{"density", "-t", endless}, "endless.csv:4"},
      {{"traces", trace, "--pick", "z*"}, "name"},
      {{"traces", trace, "--from", "9d"}, "--from"},
      {{"traces", trace, "--from", "x"}, "3d"},
      {{"traces", trace, "--vms", "0"}, "--vms"},
      {{"traces", trace, "-o", "/nonexistent/t.csv"}, "/nonexistent"},
  };
  for (const RuleInput& one : cases) {
    std::string called;
    for (const std::string& word : one.words) called += word + " ";
    CAPTURE(called);
    const Finished run = run_memcoord(one.words);
    CHECK(run.exit_code == 2);
    CHECK(contains(run.errors, one.message));
    CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
  }
}

TEST_CASE("density and compare in parts, in processes of their own, give the bytes of one run") {
  const ScratchFiles scratch;
  const std::vector<std::vector<std::string>> sweeps{
      {"density", "-p", "halving", "-t", scratch.write("trace.csv", kTrace), "--host", "3GiB",
       "--hosts", "2", "--orders", "3", "--max-stalled", "50%", "--interval", "1m", "--footprint",
       "0", "--csv"},
      {"compare", "-p", "halving", "band", "-S", "case1", "case3", "--interval", "5", "--csv"}};
  for (const auto& words : sweeps) {
    CAPTURE(words.front());
    const auto part = [&](const std::string& shard) {
      auto with_shard = words;
      with_shard.insert(with_shard.end(), {"--shard", shard});
      return memcoord_command(with_shard);
    };
    Process first(part("1/2"));
    Process second(part("2/2"));
    const std::string one = scratch.write("one.csv", first.finish().output);
    const std::string two = scratch.write("two.csv", second.finish().output);
    const Finished whole = run_memcoord(words);
    CHECK(whole.exit_code == 0);
    CHECK(lines_of_text(whole.output) > 6);
    CHECK(run_memcoord({"merge", two, one}).output == whole.output);
  }
}

TEST_CASE("merge refuses shards that do not belong together, in a line") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("trace.csv", kTrace);
  const auto shard = [&](const char* name, const std::string& which, const std::string& seed) {
    return scratch.write(
        name, run_memcoord({"density", "-p", "halving", "-t", trace, "--host", "3GiB", "--orders",
                            "2", "--interval", "1m", "--csv", "--shard", which, "--seed", seed})
                  .output);
  };
  const std::string one = shard("one.csv", "1/2", "1");
  const std::string other = shard("other.csv", "2/2", "2");
  CHECK(refusal({"merge", one}) == "shard 2 of 2 missing");
  CHECK(refusal({"merge", one, one}) == one + ": is shard 1 again, as " + one);
  CHECK(refusal({"merge", one, other})
            .starts_with(other + ": is a shard of another sweep than " + one));
  CHECK(refusal({"merge", trace}).starts_with(trace + ": is not a shard"));
  // The same names, but the trace is another one.
  scratch.write("trace.csv", std::string(kTrace) + "7200,204800,204800,204800,204801\n");
  CHECK(refusal({"merge", one, shard("changed.csv", "2/2", "1")})
            .starts_with(scratch.path("changed.csv") + ": is a shard of another sweep"));
}

TEST_CASE("options of a shard that make no sense are refused") {
  const ScratchFiles scratch;
  const std::string trace = scratch.write("trace.csv", kTrace);
  CHECK(refusal({"density", "-t", trace, "--shard", "1/2"}) == "--shard: needs --csv; add --csv");
  CHECK(refusal({"density", "-t", trace, "--csv", "--shard", "3/2"}) ==
        "--shard: there is no shard 3 of 2; shards count from 1");
  CHECK(refusal({"density", "-t", trace, "--hosts", "0"}).starts_with("--hosts: "));
  CHECK(refusal({"compare", "-S", "case1", "--csv", "--shard", "1/2", "--report", "a.html"})
            .starts_with("--report: contradicts --shard"));
}

TEST_CASE("density on several hosts has a row for each host, and says if all domains are served") {
  const ScratchFiles scratch;
  const std::vector<std::string> words{"density",
                                       "-p",
                                       "halving",
                                       "-t",
                                       scratch.write("trace.csv", kTrace),
                                       "--host",
                                       "8GiB",
                                       "--hosts",
                                       "2",
                                       "--orders",
                                       "2",
                                       "--max-stalled",
                                       "50%",
                                       "--interval",
                                       "1m"};
  const Finished run = run_memcoord(words);
  CHECK(contains(run.output, "halving on 2 hosts of 8 GiB each: 4 domains in "));
  CHECK(contains(run.output, "\n1      2.0    2    2\n2      2.0    2    2\n"));
  CHECK(contains(run.output, "every domain is served: fewer hosts may do\n"));
  auto as_json = words;
  as_json.push_back("--json");
  const Json json = json_of(run_memcoord(as_json));
  CHECK(json.at("hosts") == 2);
  CHECK(json.at("orders").at(0).at("hosts").at(1).at("vms") == 2);
}
