#include "engine/cli/command_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/cli/help.h"
#include "engine/cli/manual_page.h"
#include "engine/cli/option_values.h"
#include "engine/cli/options.h"

using namespace memcoord;
using namespace memcoord::cli;

namespace {

using Words = std::vector<std::string>;

// A program with one option of each kind and a command that has commands of its own.
struct Program {
  Program() {
    add_help_option(program, kGeneralGroup);
    add_version_option(program);
    add_argument(program, {"--interval,INTERVAL", "TIME", "time from tick to tick", "Run"},
                 interval);
    add_option(program, {"-n,--ticks", "N", "end after so many ticks", "Run"},
               into(ticks, [](const std::string& text) {
                 return parse_whole_number(text, {1, 1000});
               }));
    add_flag(program, {"--dry-run", "move nothing", "Run"}, dry_run);
    add_repeated_option(program, {"--include", "GLOB", "only such domains", "Host"},
                        [this](const std::string& text) -> Status {
                          included.push_back(text);
                          return {};
                        });
    add_choice(program, {"--color", "", "colours", "Output"}, {"auto", "always"},
               [this](std::size_t index) { color = index; });
    program.action = [] { return ExitCode::ok; };
    Command& check = program.add("check", "Checks policies.", [] { return ExitCode::ok; });
    add_list(check,
             {.names = "POLICY", .value = "POLICY", .description = "policies", .required = true},
             into_list(policies));
    add_flag(check, {"--json", "print JSON"}, json);
    add_flag(check, {.names = "--csv", .description = "print CSV", .excludes = "--json"}, csv);
    check.footer = "Examples:\n  memcoord check band";
    Command& domain = program.add("domain", "Settings of domains.", {});
    domain.add("show", "Shows them.", [] { return ExitCode::ok; });
    Command& set = domain.add("set", "Changes them.", [] { return ExitCode::ok; });
    add_argument(set, {"NAME", "NAME", "a domain"}, domain_name);
    add_option(set, {"--minimum", "SIZE", "at least"}, into_text(minimum));
  }
  CommandLine parsed(const Words& words) {
    auto line = parse_command_line(program, words);
    if (!line) FAIL(line.error().text());
    return *line;
  }
  std::string complaint(const Words& words) {
    const auto line = parse_command_line(program, words);
    REQUIRE_FALSE(line);
    CHECK(line.error().code == ErrorCode::invalid_input);
    return line.error().text();
  }
  const Option& option(const std::string& name) {
    for (const Option& option : program.options) {
      if (option.name() == name) return option;
    }
    FAIL(name);
    return program.options.front();
  }

  std::string interval;
  int ticks = 0;
  bool dry_run = false;
  Words included;
  std::size_t color = 0;
  Words policies;
  bool json = false;
  bool csv = false;
  std::string domain_name;
  std::string minimum;
  Command program{"memcoord", "Balances memory."};
};

}  // namespace

TEST_CASE("a command line hands its values to the options, and counts them") {
  Program p;
  const CommandLine line =
      p.parsed({"--include", "a", "-n7", "2s", "--include=b", "--dry-run", "--color", "always"});
  CHECK(line.asks == CommandLine::Asks::action);
  CHECK(line.command == &p.program);
  CHECK(p.interval == "2s");
  CHECK(p.ticks == 7);
  CHECK(p.dry_run);
  CHECK(p.included == Words{"a", "b"});
  CHECK(p.color == 1);
  CHECK(p.option("--include").given == 2);
  CHECK(p.option("--interval").given == 1);
  CHECK(p.option("--help").given == 0);
}

TEST_CASE("of an option or a flag given twice the last one counts") {
  Program p;
  p.parsed({"--ticks", "3", "--ticks", "5", "--dry-run", "--dry-run=false"});
  CHECK(p.ticks == 5);
  CHECK_FALSE(p.dry_run);
}

TEST_CASE("the innermost command that is named is the one asked for") {
  Program p;
  CHECK(p.parsed({"check", "band", "halving"}).command->called == "memcoord check");
  CHECK(p.policies == Words{"band", "halving"});
  CHECK(p.parsed({"domain", "set"}).command->called == "memcoord domain set");
  CHECK(p.parsed({"domain", "set", "--help"}).asks == CommandLine::Asks::help);
  CHECK(p.parsed({"domain", "--help"}).command->called == "memcoord domain");
  CHECK(p.parsed({"--version"}).asks == CommandLine::Asks::version);
}

TEST_CASE("a command line that cannot be used is refused under the name of what is wrong") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"--ticks"}) == "--ticks: needs a value; see 'memcoord --help'");
  CHECK(complaint({"--ticks", "0"}) ==
        "--ticks: '0' is too small; expected a whole number of at least 1");
  CHECK(complaint({"--color", "red"}) == "--color: 'red' is not known; expected auto, always");
  CHECK(complaint({"--dry-run=perhaps"}) == "--dry-run: takes no value; see 'memcoord --help'");
  CHECK(complaint({"--version=x"}) == "--version: takes no value; see 'memcoord --help'");
  CHECK(complaint({"--tikcs", "3"}) == "--tikcs: no such option; did you mean --ticks?");
  CHECK(complaint({"1", "2"}) == "2: one argument too many; see 'memcoord --help'");
  CHECK(complaint({"check"}) == "POLICY: is missing; see 'memcoord check --help'");
  CHECK(complaint({"check", "a", "--json", "--csv"}) ==
        "--json: contradicts --csv; see 'memcoord check --help'");
  CHECK(complaint({"domain"}) == "memcoord domain: needs a command; see 'memcoord domain --help'");
  CHECK(complaint({"--dry-run", "check", "a"}) ==
        "--dry-run: is not for 'memcoord check'; see 'memcoord check --help'");
}

TEST_CASE("what stands between a command and the command under it is refused, too") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"domain", "--jsno", "show"}) ==
        "--jsno: no such option; see 'memcoord domain --help'");
  CHECK(complaint({"domain", "web1", "show"}) ==
        "web1: one argument too many; see 'memcoord domain --help'");
}

TEST_CASE("the help lists arguments, options by heading, commands and examples") {
  const Program p;
  CHECK(help_text(p.program) ==
        "Balances memory.\n"
        "\n"
        "Usage: memcoord [OPTIONS] [INTERVAL]\n"
        "       memcoord COMMAND [OPTIONS]\n"
        "\n"
        "Arguments:\n"
        "  INTERVAL                    time from tick to tick\n"
        "\n"
        "Run:\n"
        "  --interval TIME             the same as INTERVAL\n"
        "  -n, --ticks N               end after so many ticks\n"
        "  --dry-run                   move nothing\n"
        "\n"
        "Host:\n"
        "  --include GLOB              only such domains\n"
        "\n"
        "Output:\n"
        "  --color auto|always         colours\n"
        "\n"
        "General:\n"
        "  -h, --help                  show this help\n"
        "  --version                   show the version\n"
        "\n"
        "Commands:\n"
        "  check                       Checks policies.\n"
        "  domain                      Settings of domains.\n");
  CHECK(help_text(p.program.commands.front()) ==
        "Checks policies.\n"
        "\n"
        "Usage: memcoord check [OPTIONS] POLICY...\n"
        "\n"
        "Arguments:\n"
        "  POLICY...                   policies\n"
        "\n"
        "Options:\n"
        "  -h, --help                  show this help\n"
        "  --json                      print JSON\n"
        "  --csv                       print CSV\n"
        "\n"
        "Examples:\n"
        "  memcoord check band\n");
}

TEST_CASE("the manual page has every option and every command") {
  const Program p;
  const std::string page = manual_page(p.program);
  for (const char* entry :
       {".SS Run\n.TP\n\\fB\\-\\-interval\\fR \\fITIME\\fR\ntime from tick to tick\n",
        ".TP\n\\fB\\-n\\fR, \\fB\\-\\-ticks\\fR \\fIN\\fR\nend after so many ticks\n",
        ".SS memcoord check\nChecks policies.\n", ".TP\n\\fIPOLICY\\fR\npolicies\n",
        ".SS memcoord domain set\nChanges them.\n"}) {
    CAPTURE(entry);
    CHECK(page.find(entry) != std::string::npos);
  }
}

TEST_CASE("after -- an argument may look like an option, and options may follow it") {
  for (const Words& words : std::vector<Words>{{"domain", "set", "--", "-web", "--minimum", "1GiB"},
                                               {"domain", "set", "--minimum", "1GiB", "--", "-web"},
                                               {"domain", "set", "--minimum=1GiB", "--", "-web"},
                                               {"domain", "set", "--", "-web", "--minimum=1GiB"}}) {
    Program p;
    CHECK(p.parsed(words).command->called == "memcoord domain set");
    CHECK(p.domain_name == "-web");
    CHECK(p.minimum == "1GiB");
  }
  Program names;
  names.parsed({"domain", "set", "--", "--minimum"});
  CHECK(names.domain_name == "--minimum");
  Program list;
  list.parsed({"check", "--json", "--", "-a", "--csv"});
  CHECK(list.policies == Words{"-a", "--csv"});
  CHECK_FALSE(list.csv);
}

TEST_CASE("a word too many after -- is refused") {
  Program p;
  CHECK(p.complaint({"domain", "set", "--", "-a", "b"}).starts_with("b: one argument too many"));
  CHECK(p.complaint({"domain", "show", "--", "x"}).starts_with("x: one argument too many"));
}
