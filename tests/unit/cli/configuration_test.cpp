#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/run_options.h"
#include "tests/integration/cli/scratch_files.h"

using namespace memcoord;
using namespace memcoord::cli;
using memcoord::testing::ScratchFiles;

namespace {

/// The options of a run after a command line and the text of a configuration.
struct Configured {
  explicit Configured(const std::string& text, const std::vector<std::string>& arguments = {}) {
    add_run_options(program, options);
    REQUIRE(parse_command_line(program, arguments));
    status = apply_configuration_text(text, "m.toml", program);
  }

  RunOptions options;
  Command program{"memcoord", "balances"};
  Result<Origins> status;
};

std::string complaint(const std::string& text) {
  const Configured configured(text);
  REQUIRE_FALSE(configured.status);
  CHECK(configured.status.error().code == ErrorCode::invalid_input);
  return configured.status.error().text();
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("a configuration sets options by their long names") {
  const Configured configured(
      "# balanced by the night shift\n"
      "policy = \"halving\"   # bundled\r\n"
      "\n"
      "interval = 2.5\n"
      "ticks = 7\n"
      "dry-run=true\n"
      "exclude = [\"build-*\", 'scratch',]\n"
      "\n"
      "[set]\n"
      "starved_below = \"200MiB\"\n"
      "step = 0.1\n"
      "eager = true\n");
  REQUIRE(configured.status);
  CHECK(configured.options.policy == "halving");
  CHECK(configured.options.interval == "2.5");
  CHECK(configured.options.ticks == 7);
  CHECK(configured.options.dry_run);
  CHECK(configured.options.exclude == std::vector<std::string>{"build-*", "scratch"});
  CHECK(configured.options.settings ==
        std::map<std::string, std::string>{
            {"starved_below", "200MiB"}, {"step", "0.1"}, {"eager", "true"}});
}

TEST_CASE("a configuration may use all of TOML") {
  const Configured configured(
      "\xef\xbb\xbfinclude = [\n  \"a\",  # the first\n  \"b\",\n]\n"
      "connections = 0x10\n"
      "ticks = 1_000\n"
      "journal = \"\"\"\\u0074icks.jsonl\"\"\"\n"
      "set.low = 1\n"
      "set.\"high\" = -2.0\n");
  REQUIRE(configured.status);
  CHECK(configured.options.include == std::vector<std::string>{"a", "b"});
  CHECK(configured.options.connections == 16);
  CHECK(configured.options.ticks == 1000);
  CHECK(configured.options.journal == "ticks.jsonl");
  CHECK(configured.options.settings ==
        std::map<std::string, std::string>{{"low", "1"}, {"high", "-2.0"}});
}

TEST_CASE("strings have escapes in double quotes and none in single quotes") {
  const Configured configured(R"(include = ["x\"y\\", 'x\y', "#"])"
                              "\n");
  REQUIRE(configured.status);
  CHECK(configured.options.include == std::vector<std::string>{"x\"y\\", "x\\y", "#"});
}

TEST_CASE("an empty configuration changes nothing") {
  for (const char* text : {"", "\n\n# nothing\n", "[set]\n"}) {
    const Configured configured(text);
    CHECK(configured.status);
    CHECK(configured.options.policy == kDefaultPolicy);
    CHECK(configured.options.settings.empty());
  }
}

TEST_CASE("text that is not TOML is refused with file, line, column and an example") {
  const std::string example = "; expected a line such as policy = \"halving\"";
  const std::string list = "; expected a list such as exclude = [\"build-*\", \"scratch\"]";
  CHECK(complaint("policy\n") ==
        "m.toml:1:7: not TOML: key-value pair: expected '=', saw '\\n'" + example);
  CHECK(complaint("\n= 3\n") ==
        "m.toml:2:1: not TOML: root table: expected keys, tables, whitespace or comments, saw '='" +
            example);
  CHECK(complaint("policy = \n") ==
        "m.toml:1:10: not TOML: key-value pair: expected value, saw '\\n'" + example);
  CHECK(complaint("policy = \"halving") ==
        "m.toml:1:10: policy: a quotation mark is missing; write policy = \"halving\"");
  CHECK(complaint("policy = \"a\\x\"") ==
        "m.toml:1:13: not TOML: string: escape sequence '\\x' is not supported in TOML 1.0.0 and "
        "earlier; write text with backslashes in 'single quotes'");
  CHECK(complaint("exclude = [\"a\"") ==
        "m.toml:1:15: not TOML: array: encountered end-of-file" + list);
  CHECK(complaint("ticks = 1\nexclude = [build-*]") ==
        "m.toml:2:12: not TOML: value: could not determine value type" + list);
  CHECK(complaint("ticks = 1 2") ==
        "m.toml:1:11: not TOML: key-value pair: expected a comment or whitespace, saw '2'" +
            example);
  CHECK(complaint("[set") ==
        "m.toml:1:5: not TOML: table header: encountered end-of-file; the only table is [set]");
}

TEST_CASE("bytes that are not text are refused with their position") {
  CHECK(complaint("ticks = 1\npolicy = \"\xff\"")
            .starts_with("m.toml:2:10: not TOML: encountered invalid utf-8 sequence"));
  CHECK(complaint("policy = \x01").starts_with("m.toml:1:10: not TOML: value: "));
  CHECK(complaint(std::string("ti\0cks = 1", 10)).starts_with("m.toml:1:3: not TOML: "));
  // toml++'s own checks: these reach code that toml++ marks as unreachable.
  CHECK(complaint("[&").starts_with("m.toml:1:2: not TOML: key: "));
  CHECK(complaint("[\n").starts_with("m.toml:1:2: not TOML: key: "));
  CHECK(complaint("\xcc\xaa").starts_with("m.toml:1:1: not TOML: root table: "));
  CHECK(Configured("policy = \"\"\"\\\n\xc2\xa7\"\"\"\n").options.policy == "\xc2\xa7");
}

TEST_CASE("a value without quotes is shown with them") {
  CHECK(complaint("policy = halving") ==
        "m.toml:1:10: policy: the value halving has no quotes; write policy = \"halving\"");
  CHECK(complaint("ticks = 2\n  host-floor=64GiB  # a budget\n") ==
        "m.toml:2:14: host-floor: the value 64GiB has no quotes; write host-floor = \"64GiB\"");
  CHECK(complaint("interval = 500ms\n") ==
        "m.toml:1:12: interval: the value 500ms has no quotes; write interval = \"500ms\"");
  CHECK(complaint("max-reclaim = 50%\n") ==
        "m.toml:1:15: max-reclaim: the value 50% has no quotes; write max-reclaim = \"50%\"");
  CHECK(complaint("[set]\nlow = 120MiB") ==
        "m.toml:2:7: low: the value 120MiB has no quotes; write low = \"120MiB\"");
  CHECK(complaint("connect = qemu:///system?socket=/run/s") ==
        "m.toml:1:11: connect: the value qemu:///system?socket=/run/s has no quotes; write connect "
        "= \"qemu:///system?socket=/run/s\"");
  CHECK(complaint("ticks ==2").starts_with("m.toml:1:8: not TOML: "));
  CHECK(complaint("dry-run = yes") == "m.toml:1:11: dry-run: yes is neither true nor false");
}

TEST_CASE("a configuration sets what the command line does not") {
  const Configured configured(
      "policy = \"band\"\nticks = 7\ndry-run = true\nexclude = [\"a\", \"b\"]\n"
      "[set]\nx = 1\ny = \"two\"\n",
      {"--policy", "gradual", "--dry-run=false"});
  REQUIRE(configured.status);
  CHECK(configured.options.policy == "gradual");
  CHECK(configured.options.ticks == 7);
  CHECK_FALSE(configured.options.dry_run);
  CHECK(configured.options.exclude == std::vector<std::string>{"a", "b"});
  CHECK(configured.options.settings ==
        std::map<std::string, std::string>{{"x", "1"}, {"y", "two"}});
}

TEST_CASE("parameters of the file are added to those of the command line") {
  const Configured configured("[set]\nx = 1\n", {"--set", "y=2"});
  REQUIRE(configured.status);
  CHECK(configured.options.settings == std::map<std::string, std::string>{{"x", "1"}, {"y", "2"}});
}

TEST_CASE("a value that an option refuses is named with its position") {
  CHECK(complaint("\nticks = 0\n") ==
        "m.toml:2:9: ticks: '0' is too small; expected a whole number of at least 1");
  CHECK(complaint("ticks = 5.0") ==
        "m.toml:1:9: ticks: '5.0' is not a whole number; expected a whole number of at least 1");
  CHECK(complaint("host-floor = \"1MiB\"").starts_with("m.toml:1:14: host-floor: "));
  CHECK(complaint("include = [\"a\",\n  \"\"]") ==
        "m.toml:2:3: include: the pattern is empty; expected a glob such as web-*");
}

TEST_CASE("a value of the wrong type is named with its position and the right type") {
  CHECK(complaint("dry-run = \"perhaps\"") ==
        "m.toml:1:11: dry-run: is a string; expected true or false");
  CHECK(complaint("dry-run = 1") == "m.toml:1:11: dry-run: is a number; expected true or false");
  CHECK(complaint("journal = true") ==
        "m.toml:1:11: journal: is a boolean; expected a string or a number");
  CHECK(complaint("interval = 07:30:00") ==
        "m.toml:1:12: interval: is a date or a time of day; expected a string or a number");
  CHECK(complaint("policy = { name = \"a\" }") ==
        "m.toml:1:10: policy: is a table; expected a string or a number");
  CHECK(complaint("policy = [\"a\", \"b\"]") ==
        "m.toml:1:10: policy: is a list; expected one value");
  CHECK(complaint("exclude = [\"a\", true]") ==
        "m.toml:1:17: exclude: is a boolean; expected a string or a number");
  CHECK(complaint("exclude = []") == "m.toml:1:11: exclude: the list is empty; leave the line out");
  CHECK(complaint("[set]\nx = [1]") ==
        "m.toml:2:5: set.x: is a list; expected a string, a number or a boolean");
}

TEST_CASE("an unknown setting is named with the nearest one") {
  CHECK(complaint("polcy = \"band\"") ==
        "m.toml:1:1: polcy: no such setting; did you mean policy?");
  CHECK(complaint("ticks = 1\n zzz = 1") ==
        "m.toml:2:2: zzz: no such setting; settings are the long options, see 'memcoord --help'");
  CHECK(complaint("config = \"m.toml\"").starts_with("m.toml:1:1: config: no such setting"));
  CHECK(complaint("[guard]\nx = 1") == "m.toml:1:2: guard: no such table; the only table is [set]");
  CHECK(complaint(repeated("a", 1000) + " = 1").size() < 200);
}

TEST_CASE("of several errors the first in the file is named") {
  CHECK(complaint("zzz = 1\naaa = 1").starts_with("m.toml:1:1: zzz"));
  CHECK(complaint("ticks = 0\naaa = 1").starts_with("m.toml:1:9: ticks"));
}

TEST_CASE("a size without a unit is refused with its place, as a number and in quotes") {
  CHECK(complaint("host-floor = 64") ==
        "m.toml:1:14: host-floor: '64' has no unit; did you mean 64MiB or 64GiB?");
  CHECK(complaint("ticks = 1\npolicy-memory = \"64\"") ==
        "m.toml:2:17: policy-memory: '64' has no unit; did you mean 64MiB or 64GiB?");
}

TEST_CASE("an interval that is no time is refused with its place") {
  CHECK(complaint("ticks = 1\ninterval = -1") ==
        "m.toml:2:12: interval: '-1' is not more than zero; expected a time such as 2, 0.5, 500ms, "
        "2s or 1m");
  CHECK(complaint("interval = \"soon\"") ==
        "m.toml:1:12: interval: 'soon' is not a time; expected seconds, or a number with its unit, "
        "such as 2, 0.5, 500ms, 2s or 1m");
}

TEST_CASE("a key with the dashes of an option is shown as it stands") {
  CHECK(complaint("--ticks = 1") == "m.toml:1:1: --ticks: no such setting; did you mean ticks?");
}

TEST_CASE("a setting given twice is refused, an option that repeats takes a list") {
  CHECK(complaint("ticks = 1\nticks = 2") == "m.toml:2:9: ticks: set twice");
  CHECK(complaint("include = \"a\"\ninclude = \"b\"") ==
        "m.toml:2:11: include: set twice; write a list: include = [\"a\", \"b\"]");
  CHECK(complaint("[set]\nx = 1\n[set]\ny = 2") == "m.toml:3:1: set: set twice");
  CHECK(complaint("ticks = 1\n\"ticks\" = 2") == "m.toml:2:11: set twice");
  CHECK(Configured("include = \"a\"").options.include == std::vector<std::string>{"a"});
}

TEST_CASE("a key of very many parts and a very deep value are refused") {
  const std::string parts = repeated("a.", 200'000);
  CHECK(complaint("\n" + parts + "a = 1") ==
        "m.toml:2:1: a line with more than 100 dots outside strings");
  CHECK(complaint("x = " + repeated("[", 100'000)).find("maximum nested value depth") !=
        std::string::npos);
  const std::string key = repeated("a.", 100) + "a";
  const std::string deepest =
      key + " = [\n" + repeated("{" + key + " = [\n", 126) + "1" + repeated("]}", 126) + "]";
  CHECK(complaint("[" + key + "]\n" + deepest).find("no such table") != std::string::npos);
  // Dots in strings and comments do not belong to keys, dots after the end of a string do.
  CHECK(Configured("include = ['" + parts + "', \"\\\"" + parts + "\"] # " + parts).status);
  CHECK(complaint("include = [\"\"\"\n'\"\"\", {" + parts + "a = 1}]")
            .starts_with("m.toml:2:1: a line"));
  CHECK(complaint("include = ['\\', {" + parts + "a = 1}, '']").starts_with("m.toml:1:1: a line"));
}

TEST_CASE("a configuration file that cannot be read is named") {
  const ScratchFiles files;
  RunOptions options;
  Command program("memcoord", "balances");
  add_run_options(program, options);
  const auto missing = apply_configuration("/nonexistent/m.toml", program);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text() ==
        "/nonexistent/m.toml: cannot read the configuration: No such file or directory");
  CHECK(apply_configuration("/", program).error().code != ErrorCode::internal);
  const std::string large = files.write("large.toml", repeated("# 1234567890123\n", 1 << 16) + "#");
  CHECK(apply_configuration(large, program).error().text() ==
        large + ": the configuration is too large; the limit is 1 MiB");
  CHECK(apply_configuration(files.write("m.toml", "ticks = 3\n"), program));
  CHECK(options.ticks == 3);
}

TEST_CASE("a missing quotation mark is named with the line that was meant") {
  for (const char* text : {"policy = \"halving\n", "policy = 'halving\n", "policy = halving\"\n",
                           "policy = \"halving"}) {
    CAPTURE(text);
    CHECK(complaint(text) ==
          "m.toml:1:10: policy: a quotation mark is missing; write policy = \"halving\"");
  }
  CHECK(complaint("ticks = 3\nexclude = [\"a, \"b\"]\n") ==
        "m.toml:2:11: exclude: a quotation mark is missing; each text in a list has one before and "
        "one behind it");
}

TEST_CASE("an error about a value of the configuration gets the value's place") {
  const Configured configured(
      "policy = \"halvign\"\nconnect = \"sim:csae1\"\n[set]\nlow = \"lots\"\n");
  REQUIRE(configured.status);
  const auto placed = [&](const std::string& object) {
    return with_origin({ErrorCode::invalid_input, object, "wrong", "", ""}, *configured.status)
        .text();
  };
  CHECK(placed("halvign") == "m.toml:1:10: policy: halvign: wrong");
  CHECK(placed("csae1") == "m.toml:2:11: connect: csae1: wrong");
  CHECK(placed("--set low") == "m.toml:4:7: set.low: wrong");
  CHECK(placed("--set high") == "--set high: wrong");
  CHECK(placed("band") == "band: wrong");
  const Configured overridden("policy = \"halvign\"\n", {"--policy", "halvign"});
  REQUIRE(overridden.status);
  CHECK(overridden.status->empty());
}
