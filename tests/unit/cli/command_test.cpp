#include "engine/cli/command.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/cli/help.h"
#include "engine/cli/manual_pages.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace std::chrono_literals;

namespace {

using Words = std::vector<std::string>;

// A program with an option of each kind, and a command with commands of its own.
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

TEST_CASE("a time is seconds, or a number with its unit") {
  CHECK(parse_duration("2").value() == 2s);
  CHECK(parse_duration("0.5").value() == 500ms);
  CHECK(parse_duration("500ms").value() == 500ms);
  CHECK(parse_duration("2s").value() == 2s);
  CHECK(parse_duration("1m").value() == 1min);
  CHECK(parse_duration("1.5min").value() == 90s);
  CHECK(parse_duration("24h").value() == 24h);
}

TEST_CASE("text that is not a time, and a time of zero or less, is refused with an example") {
  for (const char* text : {"", "fast", "2 s", "s", "2x", "nan", "inf", "1e999", "0x10", "2s2"}) {
    CAPTURE(text);
    const auto refused = parse_duration(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "'" + std::string(text) + "' is not a time");
    CHECK(refused.error().hint.find("500ms") != std::string::npos);
  }
  CHECK(parse_duration("0").error().message == "'0' is not more than zero");
  CHECK(parse_duration("-2").error().message == "'-2' is not more than zero");
  CHECK(parse_duration("0.0001").error().message == "'0.0001' is too short");
  CHECK(parse_duration("25h").error().message == "'25h' is too long");
}

TEST_CASE("an age may be given in days") {
  CHECK(parse_age("90").value() == 90s);
  CHECK(parse_age("30m").value() == 30min);
  CHECK(parse_age("48h").value() == 48h);
  CHECK(parse_age("7d").value() == 7 * 24h);
  CHECK(parse_age("-8h").error().text() ==
        "'-8h' is not more than zero; expected a time such as 90, 30m, 8h or 7d");
  CHECK(parse_age("yesterday").error().text() ==
        "'yesterday' is not a time; expected seconds, or a number with its unit, such as 90, 30m, "
        "8h or 7d");
  CHECK(parse_age("367d").error().text() == "'367d' is too long; the longest is 366d");
  CHECK(parse_duration("1d").error().message == "'1d' is not a time");
}

TEST_CASE("a share is a percentage or a fraction, more than zero and at most the whole") {
  CHECK(parse_share("50%").value() == doctest::Approx(0.5));
  CHECK(parse_share("0.25").value() == doctest::Approx(0.25));
  CHECK(parse_share("100%").value() == doctest::Approx(1.0));
  for (const char* text : {"0", "0%", "-0.5", "1.5", "150%"}) {
    CAPTURE(text);
    CHECK(parse_share(text).error().message ==
          "'" + std::string(text) + "' is not between 0 and 100 %");
  }
  for (const char* text : {"", "half", "50 %", "50%%", "nan"}) {
    CAPTURE(text);
    CHECK(parse_share(text).error().message == "'" + std::string(text) + "' is not a share");
  }
}

TEST_CASE("a number outside its bounds, and text that is not a whole number, is refused") {
  CHECK(parse_whole_number("7", {1, 9}).value() == 7);
  CHECK(parse_whole_number("0", {1, 9}).error().message == "'0' is too small");
  CHECK(parse_whole_number("10", {1, 9}).error().message == "'10' is too large");
  CHECK(parse_whole_number("99999999999999999999", {1, 9}).error().message ==
        "'99999999999999999999' is too large");
  for (const char* text : {"", "x", "1.5", "1e3", " 1", "1 "}) {
    CAPTURE(text);
    CHECK(parse_whole_number(text, {1, 9}).error().message ==
          "'" + std::string(text) + "' is not a whole number");
  }
}

TEST_CASE("a weight is a number over zero") {
  CHECK(parse_weight("1.5").value() == doctest::Approx(1.5));
  for (const char* text : {"0", "-1", "heavy", "nan", "inf", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_weight(text));
  }
}

TEST_CASE("a size of zero is refused") {
  CHECK(parse_size("512MiB").value() == MemorySize::from_mib(512));
  CHECK(parse_size("0").error().message == "'0' is zero");
  CHECK(parse_size("64").error().text() == "'64' has no unit; did you mean 64MiB or 64GiB?");
}

TEST_CASE("an assignment is split at its first equals sign") {
  const auto assignment = parse_assignment("greeting=a=b").value();
  CHECK(assignment.first == "greeting");
  CHECK(assignment.second == "a=b");
  CHECK(parse_assignment("empty=").value().second.empty());
  CHECK(parse_assignment("nothing").error().message == "'nothing' is not name=value");
  CHECK_FALSE(parse_assignment("=x"));
}

TEST_CASE("a message shows the beginning of a very long value") {
  CHECK(parse_duration(std::string(100000, 'x')).error().message.size() < 100);
}

TEST_CASE("a command line gives values to the options and counts them") {
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

TEST_CASE("the last one counts when an option or a flag is given twice") {
  Program p;
  p.parsed({"--ticks", "3", "--ticks", "5", "--dry-run", "--dry-run=false"});
  CHECK(p.ticks == 5);
  CHECK_FALSE(p.dry_run);
}

TEST_CASE("a command line asks for the innermost command that it names") {
  Program p;
  CHECK(p.parsed({"check", "band", "halving"}).command->called == "memcoord check");
  CHECK(p.policies == Words{"band", "halving"});
  CHECK(p.parsed({"domain", "set"}).command->called == "memcoord domain set");
  CHECK(p.parsed({"domain", "set", "--help"}).asks == CommandLine::Asks::help);
  CHECK(p.parsed({"domain", "--help"}).command->called == "memcoord domain");
  CHECK(p.parsed({"--version"}).asks == CommandLine::Asks::version);
  CHECK(p.parsed({"-V"}).asks == CommandLine::Asks::version);
}

TEST_CASE("an unusable command line is refused with the name of the wrong option or argument") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"--ticks"}) == "--ticks: needs a value; see 'memcoord --help'");
  CHECK(complaint({"--ticks", "0"}) ==
        "--ticks: '0' is too small; expected a whole number of at least 1");
  CHECK(complaint({"--color", "red"}) == "--color: 'red' is not a choice; expected auto, always");
  CHECK(complaint({"--dry-run=perhaps"}) ==
        "--dry-run: takes no value except true and false; see 'memcoord --help'");
  for (const char* word : {"3", "on", "yes", "1", "True"}) {
    CAPTURE(word);
    CHECK(complaint({"--dry-run=" + std::string(word)}).starts_with("--dry-run: takes no value"));
  }
  CHECK(complaint({"--version=x"}) == "--version: takes no value; see 'memcoord --help'");
  CHECK(complaint({"--tikcs", "3"}) == "--tikcs: no such option; did you mean --ticks?");
  CHECK(complaint({"1", "2"}) == "2: one argument too many; see 'memcoord --help'");
  CHECK(complaint({"check"}) == "POLICY: is missing; see 'memcoord check --help'");
  CHECK(complaint({"check", "a", "--json", "--csv"}) ==
        "--json: contradicts --csv; see 'memcoord check --help'");
  CHECK(
      complaint({"domain"}) ==
      "memcoord domain: needs a command; expected 'memcoord domain show' or 'memcoord domain set'");
  CHECK(complaint({"--dry-run", "check", "a"}) ==
        "--dry-run: is not for 'memcoord check'; see 'memcoord check --help'");
}

TEST_CASE("a word between a command and its subcommand is refused") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"domain", "--jsno", "show"}) ==
        "--jsno: no such option; see 'memcoord domain --help'");
  CHECK(complaint({"domain", "web1", "show"}) ==
        "web1: one argument too many; see 'memcoord domain --help'");
}

TEST_CASE("an option before a command counts as one behind it") {
  for (const Words& words : std::vector<Words>{{"--minimum", "1GiB", "domain", "set", "web"},
                                               {"--minimum=1GiB", "domain", "set", "web"},
                                               {"domain", "--minimum", "1GiB", "set", "web"}}) {
    Program p;
    CHECK(p.parsed(words).command->called == "memcoord domain set");
    CHECK(p.domain_name == "web");
    CHECK(p.minimum == "1GiB");
  }
  Program last;
  last.parsed({"--minimum", "1GiB", "domain", "set", "web", "--minimum", "2GiB"});
  CHECK(last.minimum == "2GiB");
  Program json;
  json.parsed({"--json", "check", "a"});
  CHECK(json.json);
  CHECK(Program().parsed({"-h", "domain", "set"}).command->called == "memcoord domain set");
}

TEST_CASE(
    "an option or argument before a command that does not have it is named with the command") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"-n", "3", "domain", "set", "web"}) ==
        "--ticks: is not for 'memcoord domain set'; see 'memcoord domain set --help'");
  CHECK(complaint({"domain", "set", "web", "-n", "3"}) == complaint({"-n", "3", "domain", "set"}));
  CHECK(complaint({"domain", "set", "web", "-n3"}) == complaint({"-n", "3", "domain", "set"}));
  CHECK(complaint({"-n", "3", "check"}) ==
        "--ticks: is not for 'memcoord check'; see 'memcoord check --help'");
  CHECK(complaint({"2s", "check", "a"}) ==
        "2s: one argument too many before 'memcoord check'; see 'memcoord check --help'");
  CHECK(complaint({"--tikcs", "3", "check", "a"}) ==
        "--tikcs: no such option; see 'memcoord check --help'");
}

TEST_CASE("an option where a value must be is not taken for the value") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"--ticks", "--dry-run"}) ==
        "--ticks: needs a value before --dry-run; see 'memcoord --help'");
  CHECK(complaint({"--include", "--dryrun=true"}) ==
        "--include: needs a value before --dryrun; see 'memcoord --help'");
  CHECK(complaint({"domain", "set", "web", "--minimum", "-h"}) ==
        "--minimum: needs a value before -h; see 'memcoord domain set --help'");
  Program p;
  p.parsed({"--include=--dry-run", "--interval", "-1"});
  CHECK(p.included == Words{"--dry-run"});
  CHECK(p.interval == "-1");
}

TEST_CASE("an unknown option comes before what is missing") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"check", "--jsno"}) == "--jsno: no such option; did you mean --json?");
  CHECK(complaint({"domain", "--jsno"}).starts_with("--jsno: no such option"));
}

TEST_CASE("the hint for an unknown option names the option that was meant") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"-v"}) == "-v: no such option; did you mean -V?");
  CHECK(complaint({"-ticks=3"}) == "-ticks: no such option; did you mean --ticks?");
  CHECK(complaint({"--in"}) == "--in: no such option; did you mean --interval or --include?");
  CHECK(complaint({"domain", "show", "--minimum", "1GiB"}) ==
        "--minimum: no such option; it is an option of 'memcoord domain set'");
  CHECK(complaint({"--minimum", "1GiB"}) ==
        "--minimum: no such option; it is an option of 'memcoord domain set'");
  CHECK(complaint({"check", "a", "--minimum", "1GiB"}) ==
        "--minimum: no such option; see 'memcoord check --help'");
}

TEST_CASE("the hint for a word too many names the option that it is for") {
  const auto recognizes = [](const Option& option, const std::string& word) {
    return option.name() == "--minimum" && word == "1GiB";
  };
  Program p;
  CHECK(
      parse_command_line(p.program, {"domain", "set", "web", "1GiB"}, recognizes).error().text() ==
      "1GiB: one argument too many; did you mean --minimum 1GiB?");
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"domain", "set", "web", "minimum"}) ==
        "minimum: one argument too many; did you mean --minimum?");
  CHECK(complaint({"1", "\u2014dry-run"}) ==
        "\u2014dry-run: one argument too many; did you mean --dry-run?");
  CHECK(complaint({"1", "5m"}) == "5m: one argument too many; did you mean --interval 5m?");
}

TEST_CASE("a word that is none of a command's commands is named") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({"domain", "shwo"}) == "shwo: no such command; did you mean show?");
  CHECK(complaint({"domain", "list"}) == "list: no such command; expected show or set");
}

TEST_CASE("a list of names leads to a command") {
  const Program p;
  CHECK(find_command(p.program, {}).value() == &p.program);
  CHECK(find_command(p.program, {"domain", "set"}).value()->called == "memcoord domain set");
  CHECK(find_command(p.program, {"chekc"}).error().text() ==
        "chekc: no such command; did you mean check?");
  CHECK(find_command(p.program, {"domain", "ste"}).error().text() ==
        "ste: no such command of 'memcoord domain'; did you mean set?");
  CHECK(find_command(p.program, {"domain", "set", "x"}).error().text() ==
        "'memcoord domain set' has no commands; see 'memcoord help domain set'");
}

TEST_CASE("an empty argument is refused") {
  const auto complaint = [](const Words& words) { return Program().complaint(words); };
  CHECK(complaint({""}) == "INTERVAL: the value is empty");
  CHECK(complaint({"domain", "set", ""}) == "NAME: the value is empty");
  CHECK(complaint({"check", ""}) == "POLICY: the value is empty");
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
        "  -h, --help                  print this help\n"
        "  -V, --version               print the versions of memcoord, libvirt and Lua\n"
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
        "  -h, --help                  print this help\n"
        "  --json                      print JSON\n"
        "  --csv                       print CSV\n"
        "\n"
        "Examples:\n"
        "  memcoord check band\n");
}

TEST_CASE("the manual page has every option and every command") {
  const Program p;
  const std::string page = program_page(p.program, {"1.2.3", "2026-11-26"});
  for (const char* entry :
       {".TH MEMCOORD 1 \"2026-11-26\" \"memcoord 1.2.3\"\n",
        ".SS Run\n.TP\n\\fB\\-\\-interval\\fR \\fITIME\\fR\ntime from tick to tick\n",
        ".TP\n\\fB\\-n\\fR, \\fB\\-\\-ticks\\fR \\fIN\\fR\nend after so many ticks\n",
        ".SS memcoord check\nChecks policies.\n", ".TP\n\\fIPOLICY\\fR\npolicies\n",
        ".SS memcoord domain set\nChanges them.\n"}) {
    CAPTURE(entry);
    CHECK(page.find(entry) != std::string::npos);
  }
}

TEST_CASE("the manual page of the configuration shows how to write each setting") {
  const Program p;
  const std::string page = configuration_page(p.program, {"1.2.3", "2026-11-26"});
  CHECK(page.starts_with(".TH MEMCOORD.TOML 5 \"2026-11-26\" \"memcoord 1.2.3\"\n"));
  for (const char* entry :
       {".SS Run\n.TP\n\\fBinterval\\fR = \"\\fITIME\\fR\"\ntime from tick to tick\n",
        ".TP\n\\fBticks\\fR = \\fIN\\fR\n", ".TP\n\\fBdry\\-run\\fR = \\fBtrue\\fR\nmove nothing\n",
        ".TP\n\\fBinclude\\fR = [\"\\fIGLOB\\fR\", ...]\nonly such domains\n",
        ".TP\n\\fBcolor\\fR = \"\\fIauto|always\\fR\"\ncolours\n"}) {
    CAPTURE(entry);
    CHECK(page.find(entry) != std::string::npos);
  }
  for (const char* absent : {"\\fBhelp", "\\fBversion", "\\fBminimum", "General"}) {
    CAPTURE(absent);
    CHECK(page.find(absent) == std::string::npos);
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
