// The commands of the built program.

#include <doctest/doctest.h>

#include <regex>
#include <string>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::json_of;
using memcoord::testing::memcoord_command;
using memcoord::testing::Process;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

TEST_CASE("help prints the same as --help") {
  CHECK(run_memcoord({"help"}).output == run_memcoord({"--help"}).output);
  const Finished run = run_memcoord({"help", "domain", "set"});
  CHECK(run.exit_code == 0);
  CHECK(run.output == run_memcoord({"domain", "set", "--help"}).output);
  CHECK(contains(run.output, "Usage: memcoord domain set"));
}

TEST_CASE("an option before a command does the same as behind it") {
  const Finished before = run_memcoord({"-c", "test:///default", "domain", "show", "test"});
  CHECK(before.exit_code == 0);
  CHECK(before.output == run_memcoord({"domain", "show", "test", "-c", "test:///default"}).output);
  CHECK(run_memcoord({"--json", "policies"}).output == run_memcoord({"policies", "--json"}).output);
}

TEST_CASE("output that cannot be written is reported with exit code 1") {
  const ScratchFiles files;
  const std::string journal = files.path("ticks.jsonl");
  const std::vector<std::string> run{"-c", "sim:", "--no-wait", "-n", "2", "--log-level", "off"};
  const auto with = [](std::vector<std::string> words, std::vector<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  CHECK(run_memcoord(with(run, {"--journal", journal})).exit_code == 0);
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"policies"},
                                             {"policies", "--json"},
                                             {"--help"},
                                             {"help", "domain"},
                                             {"--version"},
                                             {"completion", "bash"},
                                             {"check", "band"},
                                             {"domain", "show", "-c", "test:///default"},
                                             {"events", "--journal", journal},
                                             {"replay", journal},
                                             {"replay", "--json", journal},
                                             {"simulate"},
                                             run,
                                             with(run, {"--json"})}) {
    CAPTURE(arguments.front());
    std::vector<std::string> command{"/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/full"};
    for (const std::string& word : memcoord_command(arguments)) command.push_back(word);
    const Finished full = Process(command).finish();
    CHECK(full.exit_code == 1);
    CHECK(full.errors == "memcoord: standard output: cannot be written: No space left on device\n");
  }
}

TEST_CASE("a run logs once that its output cannot be written") {
  std::vector<std::string> command{"/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/full"};
  for (const std::string& word :
       memcoord_command({"-c", "sim:", "--no-wait", "-n", "3", "--json"})) {
    command.push_back(word);
  }
  const Finished run = Process(command).finish();
  const std::string logged = "error standard output: cannot be written";
  const auto first = run.errors.find(logged);
  REQUIRE(first != std::string::npos);
  CHECK(run.errors.find(logged, first + 1) == std::string::npos);
  CHECK(contains(run.errors, "3 ticks"));
}

TEST_CASE("a closed standard output is reported") {
  std::vector<std::string> command{"/bin/sh", "-c", "exec \"$0\" \"$@\" >&-"};
  for (const std::string& word : memcoord_command({"policies"})) command.push_back(word);
  const Finished run = Process(command).finish();
  CHECK(run.exit_code == 1);
  CHECK(run.errors == "memcoord: standard output: cannot be written: Bad file descriptor\n");
}

TEST_CASE("a reader that goes away ends the output quietly") {
  std::vector<std::string> command{
      "/bin/bash", "-c",
      "trap '' PIPE; { sleep 0.3; \"$0\" \"$@\"; } | true; exit ${PIPESTATUS[0]}"};
  for (const std::string& word : memcoord_command({"completion", "bash"})) command.push_back(word);
  const Finished run = Process(command).finish();
  CHECK(run.exit_code == 0);
  CHECK(run.errors.empty());
}

TEST_CASE("--version names memcoord, libvirt and Lua") {
  CHECK(run_memcoord({"-V"}).output == run_memcoord({"--version"}).output);
  const Finished run = run_memcoord({"--version"});
  CHECK(run.exit_code == 0);
  CHECK(std::regex_match(
      run.output,
      std::regex(R"(memcoord \d+\.\d+\.\d+(\+[0-9a-z.]+)? \(.*libvirt \d.*, Lua 5\.4.*\)\n)")));
}

TEST_CASE("every command has a help with its usage") {
  const std::vector<std::vector<std::string>> commands{
      {},          {"policies"}, {"check"},         {"test"},           {"simulate"},  {"compare"},
      {"density"}, {"domain"},   {"domain", "set"}, {"domain", "show"}, {"completion"}};
  for (auto arguments : commands) {
    std::string called = "memcoord";
    for (const std::string& word : arguments) called += " " + word;
    CAPTURE(called);
    arguments.push_back("--help");
    const Finished run = run_memcoord(arguments);
    CHECK(run.exit_code == 0);
    CHECK(run.errors.empty());
    CHECK(contains(run.output, "Usage: " + called));
    CHECK_FALSE(contains(run.output, "TEXT"));  // CLI11's name for a value without a name
  }
}

TEST_CASE("the manual page names every option and command of the help") {
  const std::string page = run_memcoord({"__manual", "1"}).output;
  CHECK(page.starts_with(".TH MEMCOORD 1"));
  for (const char* text : {"\\-\\-restore\\-on\\-exit", "\\-\\-journal", ".SS memcoord domain set",
                           "\\-\\-minimum", ".SH EXIT STATUS"}) {
    CAPTURE(text);
    CHECK(contains(page, text));
  }
}

TEST_CASE("the manual page of the configuration has its settings and no option of commands") {
  const std::string page = run_memcoord({"__manual", "5"}).output;
  CHECK(page.starts_with(".TH MEMCOORD.TOML 5"));
  CHECK(contains(page, "\n\\fBdry\\-run\\fR = \\fBtrue\\fR\n"));
  CHECK(contains(page, "\n\\fBexclude\\fR = [\"\\fIGLOB\\fR\", ...]\n"));
  CHECK_FALSE(contains(page, "\n\\fBconfig\\fR = "));
  CHECK_FALSE(contains(page, "\n\\fBminimum\\fR = "));
}

TEST_CASE("a manual page that does not exist is refused") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"__manual"}, {"__manual", "7"}}) {
    const Finished run = run_memcoord(words);
    CHECK(run.exit_code == 2);
    CHECK(run.errors == "memcoord: __manual: no such page; 1 or 5\n");
  }
}

TEST_CASE("policies lists the bundled policies, as JSON with their parameters") {
  const Finished table = run_memcoord({"policies"});
  CHECK(table.exit_code == 0);
  CHECK(contains(table.output, "halving"));
  const auto json = json_of(run_memcoord({"policies", "--json"}));
  REQUIRE(json.is_array());
  REQUIRE(json.size() > 0);
  bool found = false;
  for (const Json& policy : json.items()) {
    CHECK_FALSE(policy.at("summary").string().empty());
    if (policy.at("name") == "halving") found = policy.at("parameters").size() > 0;
  }
  CHECK(found);
}

TEST_CASE("MEMCOORD_DATA_DIR names a folder with policies") {
  const ScratchFiles files;
  std::filesystem::create_directories(files.path("policies"));
  files.write("policies/mine.lua",
              "return { api = 1, summary = 'my own', tick = function() end }\n");
  const Finished run = run_memcoord({"policies"}, {{"MEMCOORD_DATA_DIR", files.path("")}});
  CHECK(contains(run.output, "my own"));
}

TEST_CASE("domain show prints the settings of libvirt's test domain, also as JSON") {
  const Finished table = run_memcoord({"domain", "show", "--connect", "test:///default"});
  CHECK(table.exit_code == 0);
  CHECK(contains(table.output, "test "));
  const auto json =
      json_of(run_memcoord({"domain", "show", "test", "--json", "--connect", "test:///default"}));
  CHECK(json.at(0).at("name") == "test");
  CHECK(json.at(0).at("weight") == 1.0);
}

TEST_CASE("domain show prints a domain's NUMA nodes and its balloon's options") {
  const ScratchFiles files;
  const std::string uri = "test://" + files.write("host.xml", R"(<node><domain type='test'>
    <name>web</name><memory unit='GiB'>4</memory><vcpu>2</vcpu><os><type>hvm</type></os>
    <cpu><numa><cell id='0' cpus='0' memory='2' unit='GiB'/>
               <cell id='1' cpus='1' memory='2' unit='GiB'/></numa></cpu>
    <numatune><memory mode='strict' nodeset='0-1'/>
              <memnode cellid='1' mode='strict' nodeset='1'/></numatune>
    <devices><memballoon model='virtio' autodeflate='on' freePageReporting='on'/></devices>
    </domain></node>)");
  const Finished table = run_memcoord({"domain", "show", "--connect", uri});
  CHECK(contains(table.output,
                 "bound to nodes 0-1 (2 GiB), node 1 (2 GiB); free page reporting; autodeflate"));
  const auto json = json_of(run_memcoord({"domain", "show", "web", "--json", "--connect", uri}));
  REQUIRE(json.at(0).at("bound_to").size() == 2);
  CHECK(json.at(0).at("bound_to").at(1).at("nodes").at(0) == 1);
  CHECK(json.at(0).at("bound_to").at(1).at("size_kib") == 2 * 1024 * 1024);
  CHECK(json.at(0).at("free_page_reporting") == true);
  CHECK(json.at(0).at("deflates_by_itself") == true);
}

TEST_CASE("domain set prints the new settings") {
  const Finished run =
      run_memcoord({"domain", "set", "test", "--minimum", "512MiB", "--weight", "2", "--label",
                    "tier=web", "--connect", "test:///default", "--json"});
  CAPTURE(run.errors);
  CHECK(run.exit_code == 0);
  const auto json = json_of(run);
  CHECK(json.at(0).at("minimum_kib") == 512 * 1024);
  CHECK(json.at(0).at("weight") == 2.0);
  CHECK(json.at(0).at("labels").at("tier") == "web");
}

TEST_CASE("test succeeds if all tests of a policy pass and fails otherwise") {
  const ScratchFiles files;
  files.write("mine.lua", "return { api = 1, summary = 's', tick = function() end }\n");
  files.write("mine_test.lua",
              "local mine = policy('mine.lua')\n"
              "test('a calm host stays as it is', function()\n"
              "  local tick = mine:tick { host = { total = 4*GiB, free = 2*GiB },\n"
              "    domains = { { name = 'a', actual = 1*GiB, unused = 400*MiB } } }\n"
              "  expect(tick.proposals):is_empty()\n"
              "end)\n");
  const Finished good = run_memcoord({"test", files.path("mine.lua")});
  CHECK(good.exit_code == 0);
  CHECK(contains(good.output, "1 passed, 0 failed"));

  files.write("mine_test.lua", "test('never', function() error('no') end)\n");
  const Finished bad = run_memcoord({"test", files.path(""), "--junit", files.path("results.xml")});
  CHECK(bad.exit_code == 1);
  CHECK(contains(bad.output, "0 passed, 1 failed"));
  CHECK(contains(files.read("results.xml"), "never"));
}

TEST_CASE("test fails without any tests") {
  const ScratchFiles files;
  const Finished none = run_memcoord({"test", files.path("none_test.lua")});
  CHECK(none.exit_code == 2);
  CHECK(none.output.empty());
  CHECK(contains(none.errors, "none_test.lua"));
  CHECK(run_memcoord({"test", files.path("")}).exit_code == 2);
}

TEST_CASE("check prints a sound policy's parameters and decisions") {
  const Finished run = run_memcoord({"check", "halving"});
  CHECK(run.exit_code == 0);
  CHECK(run.errors.empty());
  CHECK(contains(run.output, "starved_below"));
  const auto json =
      json_of(run_memcoord({"check", "halving", "--set", "starved_below=200MiB", "--json"}));
  CHECK(json.at(0).at("name") == "halving");
  CHECK(json.at(0).at("sound") == true);
  CHECK(json.at(0).at("situations").size() > 1);
}

TEST_CASE("check fails for an unsound policy, names a missing one and checks the others") {
  const ScratchFiles files;
  const std::string unsound = files.write(
      "mine.lua", "return { api = 1, summary = 's', tick = function() error('no idea') end }\n");
  const Finished run = run_memcoord({"check", unsound});
  CHECK(run.exit_code == 1);
  CHECK(contains(run.output, "no idea"));
  const Finished several = run_memcoord({"check", files.path("none.lua"), unsound, "halving"});
  CHECK(several.exit_code == 2);
  CHECK(several.errors == "memcoord: " + files.path("none.lua") + ": no such file\n");
  CHECK(contains(several.output, "no idea"));
  CHECK(contains(several.output, "starved_below"));
}
