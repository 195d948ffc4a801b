// Hostile texts (names, metadata, parameters, reasons, scenarios, traces, file names) through every
// command and every output. They have every character that acts on a terminal, breaks lines,
// changes the direction of writing or is invisible.

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/printable.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using namespace memcoord;
using memcoord::testing::Finished;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

using Range = std::pair<char32_t, char32_t>;

// A list independent of the program's own: C0, DEL and C1, direction marks and embeddings, line
// separators, zero-width and other invisible characters.
constexpr std::array kActing{Range{0x0, 0x1f},        Range{0x7f, 0x9f},      Range{0xad, 0xad},
                             Range{0x34f, 0x34f},     Range{0x61c, 0x61c},    Range{0x180e, 0x180e},
                             Range{0x200b, 0x200f},   Range{0x2028, 0x202e},  Range{0x2060, 0x206f},
                             Range{0xfe00, 0xfe0f},   Range{0xfeff, 0xfeff},  Range{0xfff9, 0xfffb},
                             Range{0xe0001, 0xe0001}, Range{0xe0020, 0xe007f}};

std::string utf8(char32_t code) {
  const auto byte = [](char32_t bits) { return static_cast<char>(bits & 0xffU); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0 | code >> 6U), byte(0x80 | (code & 0x3fU))};
  std::string text =
      code < 0x10000 ? std::string{byte(0xe0 | code >> 12U)}
                     : std::string{byte(0xf0 | code >> 18U), byte(0x80 | (code >> 12U & 0x3fU))};
  return text + byte(0x80 | (code >> 6U & 0x3fU)) + byte(0x80 | (code & 0x3fU));
}

/// A text with every acting character that `passes` accepts.
template <class Passes>
std::string hostile(const std::string& start, Passes passes) {
  std::string text = start + "=<b>'";
  for (const auto& [first, last] : kActing) {
    for (char32_t code = first; code <= last; ++code) {
      if (passes(code)) text += utf8(code);
    }
  }
  return text + "\r\n12:00:00 error FORGED";
}

std::string hostile(const std::string& start) {
  return hostile(start, [](char32_t) { return true; });
}
/// The hostile text for XML, which has no C0 characters except these line ends.
std::string hostile_in_xml(const std::string& start) {
  std::string escaped;
  for (const char c : hostile(start, [](char32_t code) { return code >= 0x20; })) {
    escaped += c == '<'    ? "&lt;"
               : c == '\'' ? "&apos;"
               : c == '\n' ? "&#10;"
               : c == '\r' ? "&#13;"
                           : std::string(1, c);
  }
  return escaped;
}
/// A hostile text for file names, arguments and CSV: some of each kind, because a file name has at
/// most 255 bytes.
std::string hostile_name(const std::string& start) {
  return start + "\x1b[35m\x07\x7f" + utf8(0x9b) + utf8(0x61c) + utf8(0x202e) + utf8(0x2066) +
         utf8(0x200b) + utf8(0xfeff) + utf8(0xe0061);
}

/// A Lua string with an escape for each byte.
std::string lua(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const std::string code = std::to_string(static_cast<unsigned char>(c));
    out += "\\" + std::string(3 - code.size(), '0') + code;
  }
  return out + '"';
}

/// The place of an acting character in a text, except line ends and tabs; empty if there is none.
std::string acting(std::string_view text) {
  for (std::string_view left = text; !left.empty();) {
    const Character character = first_character(left);
    bool found = !character.is_utf8;
    for (const auto& [first, last] : kActing) {
      found = found || (character.code >= first && character.code <= last);
    }
    if (found && character.code != '\n' && character.code != '\t')
      return shell_word(left.substr(0, 40));
    left.remove_prefix(character.bytes.size());
  }
  return {};
}

/// The output of a run without the control sequences that ncurses and the program write: colours
/// (but never 35), erasing, moving the cursor, modes. Carriage returns and backspaces go as well.
std::string without_own_sequences(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\b') continue;
    if (text[i] != '\x1b' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    if (text.compare(i, 3, "\x1b(B") == 0) {  // ASCII
      i += 2;
      continue;
    }
    if (text[i + 1] == '=' || text[i + 1] == '>') {  // the keypad
      ++i;
      continue;
    }
    const std::size_t end = text.find_first_not_of("?;0123456789", i + 2);
    const bool own = text[i + 1] == '[' && end != std::string::npos &&
                     contains("mHKJXPdGABCDhlrt@LMb", text.substr(end, 1)) &&
                     text.compare(i + 2, 3, "35m") != 0;
    if (own) {
      i = end;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Files with hostile texts.
struct HostileFiles {
  ScratchFiles files;
  std::string host = "test://" + files.write("host.xml", host_file());
  std::string scenario = files.write(hostile_name("scenario") + ".lua", scenario_file());
  std::string policy = files.write(hostile_name("policy") + ".lua", policy_file());
  std::string failing = files.write("failing.lua", failing_policy());
  std::string tests = files.write(hostile_name("failing") + "_test.lua", test_file());
  std::string trace = files.write(hostile_name("trace") + ".csv", trace_file());
  std::string configuration = files.write(
      hostile_name("config"), hostile_name("key") + " = \"" + hostile_name("v") + "\"\n");

  static std::string host_file() {
    std::string xml = "<node><cpu><nodes>1</nodes></cpu><memory>33554432</memory>";
    const std::string good = "weight='2'";
    const std::string bad = "minimum='" + hostile_in_xml("m") + "'";
    for (const auto& [start, attributes] :
         {std::pair{"a", good}, std::pair{"b", bad}, std::pair{"-c", good}}) {
      xml += "<domain type='test'><name>" + hostile_in_xml(start) +
             "</name><memory>4194304</memory><currentMemory>2097152</currentMemory>"
             "<os><type>hvm</type></os><metadata><m:domain "
             "xmlns:m='https://memcoord.org/xmlns/domain/1.0' " +
             attributes + "><m:label name='" + hostile_in_xml("l") + "' value='" +
             hostile_in_xml("v") +
             "'/></m:domain></metadata><devices><memballoon model='virtio'/></devices></domain>";
    }
    return xml + "</node>";
  }
  static std::string scenario_file() {
    std::string text = "return { summary = " + lua(hostile("summary")) +
                       ", host = { total = 3*GiB }, duration = 12, domains = {\n";
    for (const char* name : {"a", "b", "=c"}) {
      text += "{ name = " + lua(hostile(name)) + ", maximum = 1*GiB, labels = { [" +
              lua(hostile("l")) + "] = " + lua(hostile("v")) +
              " }, demand = { { 0, 300*MiB }, { 6, 900*MiB } } },\n";
    }
    return text + "} }\n";
  }
  static std::string policy_with(const std::string& tick) {
    return "return { api = 1, summary = " + lua(hostile("summary")) + ", params = { [" +
           lua(hostile_name("p")) + "] = { default = " + lua(hostile("default")) +
           ", doc = " + lua(hostile("doc")) + " }, choice = { default = " + lua(hostile("c")) +
           ", choices = { " + lua(hostile("c")) + ", 'x' }, doc = 'd' } }, " +
           "tick = function(ctx) ctx.log.warn(" + lua(hostile("log")) + ") " + tick + " end }\n";
  }
  static std::string policy_file() {
    return policy_with("for _, d in pairs(ctx.domains) do d:set(d.actual - 1*MiB, " +
                       lua(hostile("why")) + ") end");
  }
  static std::string failing_policy() {
    return policy_with("error(" + lua(hostile("error")) + ")");
  }
  static std::string test_file() {
    return "test(" + lua(hostile("name")) + ", function() expect(" + lua(hostile("got")) +
           "):equals(" + lua(hostile("expected")) + ") end)\n" + "test('fails', function() error(" +
           lua(hostile("error")) + ") end)\n";
  }
  static std::string trace_file() {
    return "t_s," + hostile_name("a") + "," + hostile_name("=b") +
           ",c\nprovisioned_kib,4194304,"
           "4194304,4194304\n0,900000,800000,700000\n300,900000,800000,700000\n";
  }
};

struct Step {
  std::vector<std::string> command;
  int exit_code = 0;
};

/// Runs a command, checks everything that it wrote, and returns its standard output.
std::string run_step(const Step& step, const testing::Process::Environment& environment = {}) {
  testing::Process::Environment all{{"LC_ALL", "C.UTF-8"}, {"TERM", "xterm"}};
  all.insert(environment.begin(), environment.end());
  const Finished run = run_memcoord(step.command, all);
  std::string line;
  for (const std::string& word : step.command) line += " " + shell_word(word);
  CAPTURE(line);
  CAPTURE(run.errors);
  CHECK(run.exit_code == step.exit_code);
  CHECK_FALSE((run.output + run.errors).empty());
  CHECK(acting(without_own_sequences(run.output)) == "");
  CHECK(acting(without_own_sequences(run.errors)) == "");
  // No hostile text begins a line.
  CHECK_FALSE(contains(run.output, "\n12:00:00"));
  CHECK_FALSE(contains(run.errors, "\n12:00:00 error FORGED"));
  return run.output;
}

}  // namespace

TEST_CASE("commands with libvirt print no hostile text") {
  const HostileFiles hostile_files;
  const auto& [files, host, scenario, policy, failing, tests, trace, configuration] = hostile_files;
  const std::string journal = files.path("journal");
  const std::string missing = hostile_name("no such");
  for (const Step& step : std::vector<Step>{
           {{"domain", "show", "--connect", host}},
           {{"domain", "show", "--color", "always", "--connect", host}},
           {{"domain", "show", "--json", "--connect", host}},
           {{"domain", "show", missing, "--connect", host}, 2},
           {{"domain", "set", missing, "--minimum", "1GiB", "--connect", host}, 2},
           {{"domain", "set", "00000000-0000-0000-0000-000000000001", "--clear", missing,
             "--connect", host},
            2},
           {{"domain", "show", "--connect", "test:///" + missing}, 2},
           {{"--connect", host, "--ticks", "2", "--log-level=debug", "--journal", journal, "50ms"}},
           {{"--connect", host, "--ticks", "2", "--policy", policy, "--log-level=debug", "--color",
             "always", "50ms"}},
           {{"--connect", host, "--ticks", "2", "--json", "50ms"}},
           {{"--connect", host, "--ticks", "1", "--include", missing, "50ms"}},
           {{"--connect", host, "--policy", failing, "--ticks", "6", "50ms"}, 1},
           {{"replay", journal}},
           {{"replay", journal, "--all"}},
           {{"replay", journal, "--all", "--json"}},
       }) {
    run_step(step);
  }
  CHECK(acting(files.read("journal")) == "");
  CHECK(contains(files.read("journal"), "\\u009b"));
  CHECK(contains(files.read("journal"), "\\udb40\\udc61"));
}

TEST_CASE("commands without libvirt print no hostile text") {
  const HostileFiles hostile_files;
  const auto& [files, host, scenario, policy, failing, tests, trace, configuration] = hostile_files;
  const std::string report = files.path(hostile_name("report"));
  const std::string compared = files.path("compared.html");
  const std::string journal = files.path("journal");
  const std::string junit = files.path("junit.xml");
  const std::string part = files.path("part.csv");
  const std::string missing = hostile_name("no such");
  for (const Step& step : std::vector<Step>{
           {{"check", policy}},
           {{"check", policy, "--color", "always"}},
           {{"check", policy, "--json"}},
           {{"check", failing}, 1},
           {{"check", failing, "--json"}, 1},
           {{"test", tests, "--junit", junit}, 1},
           {{"test", tests, "--color", "always"}, 1},
           {{"simulate", "-S", scenario, "-p", policy, "--report", report, "--journal", journal}},
           {{"simulate", "-S", scenario, "-p", policy, "--color", "always"}},
           {{"simulate", "-S", scenario, "-p", policy, "--json"}},
           {{"simulate", "-S", scenario, "-p", failing}, 1},
           {{"compare", "-S", scenario, "-p", policy, "--report", compared}},
           {{"compare", "-S", scenario, "-p", policy, "--csv"}},
           {{"compare", "-S", scenario, "-p", policy, "--json"}},
           {{"compare", "-S", scenario, "-p", failing}, 1},
           {{"density", "-t", trace, "--host", "8GiB", "-p", policy, "--orders", "1"}},
           {{"density", "-t", trace, "--host", "8GiB", "-p", policy, "--orders", "1", "--json"}},
           {{"traces", trace, "-o", part}},
           {{"traces", trace, "--color", "always"}},
           {{"traces", trace, "--json"}},
           {{"traces", part}},
           {{"traces", trace, "--pick", missing}, 2},
           {{"replay", journal, "--all", "-p", policy}},
           {{"replay", journal, "--all", "--json", "-p", policy}},
           {{"replay", journal, "-p", failing}, 1},
           {{"--connect", "sim:" + scenario, "--no-wait", "--ticks", "8", "-p", policy,
             "--log-level=debug"}},
           {{"--connect", "sim:" + scenario, "--no-wait", "--ticks", "8", "-p", policy, "--json"}},
           {{"--connect", "sim:" + scenario, "--no-wait", "--ticks", "8", "-p", failing}, 1},
           {{"--config", configuration}, 2},
           {{"--policy", missing}, 2},
           {{"--set", missing + "=" + missing, "-c", "sim:"}, 2},
           {{"--set", "starved_below=" + missing, "-c", "sim:", "-p", "halving"}, 2},
           {{missing}, 2},
           {{"--" + missing}, 2},
           {{"check", missing}, 2},
           {{"test", missing}, 2},
           {{"traces", missing}, 2},
           {{"replay", missing}, 2},
           {{"completion", missing}, 2},
           {{"completion", "bash"}},
           {{"--help"}},
           {{"__manual", "1"}},
           {{"__manual", "5"}},
       }) {
    run_step(step);
  }
  for (const char* file : {"journal", "junit.xml", "part.csv", "compared.html"}) {
    CAPTURE(file);
    CHECK_FALSE(files.read(file).empty());
    CHECK(acting(files.read(file)) == "");
  }
  const std::string page = files.read(hostile_name("report"));
  CHECK(acting(page) == "");
  CHECK_FALSE(contains(page, "<b>'"));
  for (const char* escape : {"\\u001b", "\\u009b", "\\u202e", "\\u200b", "\\udb40"}) {
    CHECK_FALSE(contains(page, escape));  // a script would put the character on the page
  }
  CHECK(contains(files.read("part.csv"), ",'=b?"));
  CHECK(contains(run_step({{"traces", part, "--json"}}), "\"=b?"));
}

TEST_CASE("lists and completions show no hostile name of a bundled file") {
  const HostileFiles hostile_files;
  const ScratchFiles& files = hostile_files.files;
  std::filesystem::create_directories(files.path("policies"));
  std::filesystem::create_directories(files.path("scenarios"));
  const std::string name = "policies/" + hostile_name("p") + ".lua";
  files.write(name, HostileFiles::policy_file());
  files.write("policies/nice.lua", HostileFiles::policy_file());
  files.write("policies/" + hostile_name("broken") + ".lua", "return {");
  files.write("scenarios/" + hostile_name("s") + ".lua", HostileFiles::scenario_file());
  const testing::Process::Environment bundled{{"MEMCOORD_DATA_DIR", files.path("")}};
  run_step({{"policies"}, 1}, bundled);
  run_step({{"policies", "--json"}, 1}, bundled);
  const std::string candidates = run_step({{"__complete", "zsh", "--policy", ""}}, bundled);
  CHECK(contains(candidates, "\nnice\t"));
  CHECK_FALSE(contains(candidates, "\np="));
  CHECK_FALSE(contains(candidates, "broken"));
  run_step({{"__complete", "zsh", "--connect", ""}}, bundled);
  run_step({{"__complete", "bash", "", "memcoord --policy "}}, bundled);
}

TEST_CASE("the screen of a run shows no hostile text") {
  const HostileFiles hostile_files;
  const std::string command = "stty cols 100 rows 30 && " + shell_word(MEMCOORD_BINARY) +
                              " --connect " + shell_word("sim:" + hostile_files.scenario) +
                              " --no-wait --ticks 8 --log-level=debug -p " +
                              shell_word(hostile_files.policy);
  const Finished run =
      testing::Process({"/usr/bin/script", "-qec", command, "/dev/null"},
                       {{"LC_ALL", "C.UTF-8"}, {"TERM", "xterm"}, {"SHELL", "/bin/bash"}})
          .finish();
  CAPTURE(run.output.substr(0, 400));
  CHECK(run.exit_code == 0);
  CHECK(contains(run.output, "\x1b[?1049h"));
  CHECK(acting(without_own_sequences(run.output)) == "");
}

TEST_CASE("a domain's name of 100,000 bytes is shortened") {
  const ScratchFiles files;
  const std::string host =
      "test://" +
      files.write("host.xml",
                  "<node><cpu><nodes>1</nodes></cpu><memory>33554432</memory><domain "
                  "type='test'><name>" +
                      std::string(100'000, 'x') +
                      "</name><memory>4194304</memory><os><type>hvm</type></os>"
                      "<devices><memballoon model='virtio'/></devices></domain></node>");
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"domain", "show", "-c", host, "--json"}, {"-c", host, "--ticks", "1", "--json"}}) {
    const Finished run = run_memcoord(command);
    CHECK(run.exit_code == 0);
    CHECK(contains(run.output, "xxx...\""));
    CHECK(run.output.size() < 10'000);
    CHECK(run.errors.size() < 10'000);
  }
}

TEST_CASE("a domain whose name begins with a dash can be named") {
  const ScratchFiles files;
  const std::string host =
      "test://" +
      files.write(
          "host.xml",
          "<node><cpu><nodes>1</nodes></cpu><memory>33554432</memory><domain "
          "type='test'><name>-weight</name><memory>4194304</memory><os><type>hvm</type></os>"
          "<devices><memballoon model='virtio'/></devices></domain></node>");
  const Finished set =
      run_memcoord({"domain", "set", "-c", host, "--", "-weight", "--minimum", "1GiB"});
  CHECK_MESSAGE(set.exit_code == 0, set.errors);
  CHECK(contains(set.output, "1 GiB"));
  CHECK(run_memcoord({"domain", "show", "-c", host, "--", "-weight"}).exit_code == 0);
}
