// Names that act on terminals, forge lines or look like options, through every way out.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/core/printable.h"
#include "engine/core/shell_word.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using namespace memcoord;
using memcoord::testing::Finished;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

// As a host file of libvirt's test driver and a scenario write them: C1, direction overrides,
// quotes, wide and joined characters, a leading dash.
constexpr const char* kNames[] = {"Windows Server 2022 (prod)",
                                  "büro-ß-1",
                                  "開発サーバー一号機",
                                  "rtl-\xe2\x80\xaegnp.exe",
                                  ("c1-\xc2\x9b"
                                   "31mred"),
                                  "alm-\xd8\x9c-lri-\xe2\x81\xa6",
                                  "-weight",
                                  "web[1]*",
                                  "db$(touch pwned);'",
                                  "emoji-👩‍👩‍👧-🚀"};

std::string host_file() {
  std::string xml = "<node><cpu><nodes>1</nodes></cpu><memory>33554432</memory>";
  for (const std::string name : kNames) {
    xml += "<domain type='test'><name>" + name +
           "</name><memory>4194304</memory><currentMemory>2097152</currentMemory>"
           "<os><type>hvm</type></os><metadata><m:domain "
           "xmlns:m='https://memcoord.org/xmlns/domain/1.0'>"
           "<m:label name='tier' value='a\xc2\x9b\xe2\x80\xae'/></m:domain></metadata>"
           "<devices><memballoon model='virtio'/></devices></domain>";
  }
  return xml + "</node>";
}

std::string scenario_file() {
  std::string lua =
      "return { summary = 'hostile \\u{9b}31m \\u{202e}', host = { total = 16*GiB }, duration = 5, "
      "domains = {\n";
  for (const std::string name : kNames) {
    lua += "{ name = [==[" + name + "]==], maximum = 1*GiB, demand = { { 0, 300*MiB } } },\n";
  }
  lua += "{ name = 'new\\nline\\27[2J', maximum = 1*GiB, demand = { { 0, 300*MiB } } },\n";
  return lua + "} }\n";
}

/// Where a text has a character that acts, other than a line end; empty where it has none.
std::string acting(std::string_view text) {
  for (std::string_view left = text; !left.empty();) {
    const Character character = first_character(left);
    if (!character.is_utf8 || (acts(character.code) && character.code != '\n')) {
      return printable(left, 60);
    }
    left.remove_prefix(character.bytes.size());
  }
  return {};
}

}  // namespace

TEST_CASE("no command lets a hostile name act on a terminal, in a log, a journal or a page") {
  const ScratchFiles files;
  const std::string host = "test://" + files.write("host.xml", host_file());
  const std::string scenario = files.write("hostile.lua", scenario_file());
  const std::string report = files.path("report.html");
  const std::string journal = files.path("journal");
  const std::string missing = "no\xc2\x9bsuch\nthing\xe2\x80\xae";
  struct Step {
    std::vector<std::string> command;
    bool works = true;
  };
  const std::vector<Step> steps = {
      {{"domain", "show", "--connect", host}},
      {{"domain", "show", "--json", "--connect", host}},
      {{"domain", "show", kNames[3], "--connect", host}},
      {{"domain", "show", missing, "--connect", host}, false},
      {{"domain", "set", "--connect", host, "--minimum", "1GiB", "--", kNames[6]}},
      {{"domain", "set", kNames[4], "--clear", missing, "--connect", host}, false},
      {{"domain", "show", "--connect", "test:///" + missing}, false},
      {{"--connect", host, "--ticks", "2", "--log-level=debug", "--journal", journal, "50ms"}},
      {{"--connect", host, "--ticks", "2", "--json", "50ms"}},
      {{"--connect", host, "--ticks", "1", "--include", missing, "50ms"}},
      {{"replay", journal}},
      {{"replay", journal, "--all"}},
      {{"replay", journal, "--all", "--json"}},
      {{"simulate", "-S", scenario, "--report", report}},
      {{"simulate", "-S", scenario, "--json"}},
      {{"compare", "-S", scenario, "-p", "halving"}},
      {{"--connect", "sim:" + scenario, "--fast", "--ticks", "2", "--log-level=debug"}},
      {{"--connect", "sim:" + scenario, "--fast", "--ticks", "2", "--json"}},
      {{"--policy", missing}, false},
      {{missing}, false},
      {{"--" + missing}, false},
      {{"check", missing}, false},
      {{"traces", missing}, false},
  };
  for (const auto& [command, works] : steps) {
    const Finished run = run_memcoord(command, {{"LC_ALL", "C.UTF-8"}});
    std::string line;
    for (const std::string& word : command) line += " " + shell_word(word);
    CAPTURE(line);
    CHECK((run.exit_code == 0) == works);
    CHECK_FALSE((run.output + run.errors).empty());
    CHECK(acting(run.output) == "");
    CHECK(acting(run.errors) == "");
  }
  CHECK(contains(files.read("journal"), "c1-\\u009b31mred"));
  CHECK(acting(files.read("journal")) == "");
  const std::string page = files.read("report.html");
  CHECK(contains(page, "c1-?31mred"));
  CHECK_FALSE(contains(page, "c1-\\u009b"));
  CHECK_FALSE(contains(page, "\xe2\x80\xae"));
  CHECK_FALSE(contains(page, "\xc2\x9b"));
}

TEST_CASE("a name that begins with a dash can be given") {
  const ScratchFiles files;
  const std::string host = "test://" + files.write("host.xml", host_file());
  const Finished set =
      run_memcoord({"domain", "set", "-c", host, "--", "-weight", "--minimum", "1GiB"});
  CHECK_MESSAGE(set.exit_code == 0, set.errors);
  CHECK(contains(set.output, "1 GiB"));
  CHECK(run_memcoord({"domain", "show", "-c", host, "--", "-weight"}).exit_code == 0);
}
