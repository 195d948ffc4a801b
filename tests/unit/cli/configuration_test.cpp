#include "engine/cli/configuration.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/cli/command_line.h"
#include "engine/cli/run_options.h"

using namespace memcoord;
using namespace memcoord::cli;

namespace {

std::string complaint(const std::string& text) {
  const auto parsed = parse_configuration(text, "m.toml");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::invalid_input);
  return parsed.error().text();
}

// A file with the text, gone at the end of the test.
class File {
 public:
  explicit File(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("memcoord-configuration-" + std::to_string(::getpid()) + ".toml")) {
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// The options of a run as a command line and a configuration leave them.
struct Configured {
  RunOptions options;
  Command program{"memcoord", "balances"};
  Status status;

  explicit Configured(const std::string& text, std::vector<std::string> arguments = {}) {
    const File file(text);
    path = file.path();
    add_run_options(program, options);
    REQUIRE(parse_command_line(program, std::move(arguments)));
    status = apply_configuration(path, program);
  }
  // The complaint, without the path that differs from run to run.
  [[nodiscard]] std::string complaint() const {
    REQUIRE_FALSE(status);
    std::string text = status.error().text();
    REQUIRE(text.rfind(path, 0) == 0);
    return text.substr(path.size());
  }
  std::string path;
};

}  // namespace

TEST_CASE("a configuration is a setting a line, with comments and blank lines") {
  const auto entries = parse_configuration(
      "# balanced by the night shift\n"
      "policy = \"halving\"   # bundled\r\n"
      "\n"
      "interval = 2.5\n"
      "dry-run=true\n"
      "exclude = [\"build-*\", 'scratch',]\n"
      "\n"
      "[set]\n"
      "starved_below = \"200MiB\"\n",
      "m.toml");
  REQUIRE(entries);
  CHECK(*entries == std::vector<ConfigurationEntry>{
                        {"policy", {"halving"}, 2},
                        {"interval", {"2.5"}, 4},
                        {"dry-run", {"true"}, 5},
                        {"exclude", {"build-*", "scratch"}, 6},
                        {"set", {"starved_below=200MiB"}, 9},
                    });
}

TEST_CASE("strings know escapes in double quotes and none in single ones") {
  const auto entries = parse_configuration("a = \"x\\\"y\\\\\"\nb = 'x\\y'\nc = \"#\"", "m.toml");
  REQUIRE(entries);
  CHECK(entries->at(0).values.at(0) == "x\"y\\");
  CHECK(entries->at(1).values.at(0) == "x\\y");
  CHECK(entries->at(2).values.at(0) == "#");
}

TEST_CASE("an empty configuration is none") {
  CHECK(parse_configuration("", "m.toml").value().empty());
  CHECK(parse_configuration("\n\n# nothing\n", "m.toml").value().empty());
}

TEST_CASE("a malformed line is named by file and line, with what was expected") {
  CHECK(complaint("policy\n") ==
        "m.toml:1: not a setting; expected a line such as policy = \"halving\"");
  CHECK(complaint("\n= 3\n") ==
        "m.toml:2: not a setting; expected a line such as policy = \"halving\"");
  CHECK(complaint("policy = \n") ==
        "m.toml:1: a value is missing; expected one such as \"2s\" or true");
  CHECK(complaint("policy = halving") ==
        "m.toml:1: the text halving has no quotes; write \"halving\"");
  CHECK(complaint("policy = \"halving") == "m.toml:1: a string has no end; add \"");
  CHECK(complaint("policy = \"a\\x\"") ==
        "m.toml:1: an unknown escape in a string; use 'single quotes'");
  CHECK(complaint("exclude = [\"a\"") ==
        "m.toml:1: a list has no end; expected [\"a\", \"b\"] on one line");
  CHECK(complaint("ticks = 1 2") == "m.toml:1: text after the value; one setting a line");
  CHECK(complaint("[guard]") == "m.toml:1: no section [guard]; the only one is [set]");
  CHECK(complaint("[set") == "m.toml:1: a section has no end; expected [set]");
}

TEST_CASE("a configuration sets what the command line does not") {
  const Configured configured(
      "policy = \"band\"\nticks = 7\ndry-run = true\nexclude = [\"a\", \"b\"]\n"
      "[set]\nx = 1\ny = \"two\"\n",
      {"--policy", "gradual"});
  REQUIRE(configured.status);
  CHECK(configured.options.policy == "gradual");
  CHECK(configured.options.ticks == 7);
  CHECK(configured.options.dry_run);
  CHECK(configured.options.exclude == std::vector<std::string>{"a", "b"});
  CHECK(configured.options.settings ==
        std::map<std::string, std::string>{{"x", "1"}, {"y", "two"}});
}

TEST_CASE("parameters of the file come to those of the command line") {
  const Configured configured("[set]\nx = 1\n", {"--set", "y=2"});
  REQUIRE(configured.status);
  CHECK(configured.options.settings == std::map<std::string, std::string>{{"x", "1"}, {"y", "2"}});
}

TEST_CASE("a value that an option refuses is named by file and line") {
  CHECK(Configured("\nticks = 0\n").complaint() ==
        ":2: ticks: '0' is too small; expected a whole number of at least 1");
  CHECK(Configured("host-floor = \"1MiB\"").complaint().starts_with(":1: host-floor: "));
  CHECK(Configured("dry-run = \"perhaps\"").complaint() ==
        ":1: dry-run: not a yes or no; expected true or false");
  CHECK(Configured("policy = [\"a\", \"b\"]").complaint() ==
        ":1: policy: a list where one value is expected");
  CHECK(Configured("exclude = []").complaint() == ":1: exclude: an empty list; leave the line out");
}

TEST_CASE("a setting that nobody knows is named with the nearest one") {
  CHECK(Configured("polcy = \"band\"").complaint() ==
        ":1: polcy: no such setting; did you mean policy?");
  CHECK(Configured("zzz = 1").complaint() ==
        ":1: zzz: no such setting; settings are the long options, see 'memcoord --help'");
}

TEST_CASE("a setting given twice is refused, one that repeats adds up") {
  CHECK(Configured("ticks = 1\nticks = 2").complaint() == ":2: ticks: set twice");
  CHECK(Configured("include = \"a\"\ninclude = \"b\"").options.include ==
        std::vector<std::string>{"a", "b"});
}

TEST_CASE("a configuration file that cannot be read is named") {
  RunOptions options;
  Command program("memcoord", "balances");
  add_run_options(program, options);
  const Status missing = apply_configuration("/nonexistent/m.toml", program);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text() ==
        "/nonexistent/m.toml: cannot read the configuration: No such file or directory");
  CHECK(apply_configuration("/", program).error().code != ErrorCode::internal);
}
