#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/help.h"
#include "engine/cli/run_options.h"

using namespace memcoord;
using namespace memcoord::cli;

namespace {

// A program with the run's options and some commands like the real ones.
struct Shell {
  Shell() {
    add_run_options(program, options);
    add_list(program.add("check", "checks policies", {}), {"POLICY", "POLICY", ""},
             into_list(files));
    Command& domain = program.add("domain", "settings", {});
    add_flag(domain.add("set", "changes", {}), {"--json", ""}, json);
    domain.add("show", "shows", {});
  }
  std::vector<std::string> after(const std::vector<std::string>& words) {
    std::vector<std::string> texts;
    answer = complete(program, words, {{"band", "halving"}, {"case1", "case2"}});
    for (const Candidate& candidate : answer.candidates) texts.push_back(candidate.text);
    return texts;
  }
  Command program{"memcoord", "balances"};
  RunOptions options;
  std::vector<std::string> files;
  bool json = false;
  Completions answer;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("commands complete in the first word, and subcommands after their command") {
  Shell shell;
  CHECK(shell.after({"do"}) == Words{"domain"});
  CHECK(shell.after({"domain", ""}) == Words{"set", "show"});
  CHECK(shell.after({"domain", "sh"}) == Words{"show"});
  CHECK(shell.after({"domain", "set", ""}).empty());
}

TEST_CASE("options of the named command complete by their long names") {
  Shell shell;
  CHECK(shell.after({"--pol"}) ==
        Words{"--policy", "--policy-time", "--policy-instructions", "--policy-memory"});
  CHECK(shell.after({"domain", "set", "--js"}) == Words{"--json"});
  CHECK(shell.answer.candidates.size() == 1);
}

TEST_CASE("an option's value completes by its kind") {
  Shell shell;
  CHECK(shell.after({"--policy", "h"}) == Words{"halving"});
  CHECK(shell.answer.files == FileCandidates::lua);
  CHECK(shell.after({"-p", ""}) == Words{"band", "halving"});
  CHECK(shell.after({"--policy=b"}) == Words{"--policy=band"});
  CHECK(shell.after({"--headroom", "us"}) == Words{"usable"});
  CHECK(shell.after({"--connect", "sim:"}) == Words{"sim:case1", "sim:case2"});
  CHECK(shell.after({"--connect", "qemu"}) == Words{"qemu:///system", "qemu:///session"});
  CHECK(shell.after({"--journal", ""}).empty());
  CHECK(shell.answer.files == FileCandidates::any);
}

TEST_CASE("a word after a flag may be a command, a word after an option is its value") {
  Shell shell;
  CHECK(shell.after({"--dry-run", "do"}) == Words{"domain"});
  CHECK(shell.after({"--policy", "check", "do"}) == Words{"domain"});
}

TEST_CASE("an argument that takes several words completes each of them") {
  Shell shell;
  CHECK(shell.after({"check", "h"}) == Words{"halving"});
  CHECK(shell.after({"check", "halving", "b"}) == Words{"band"});
}

TEST_CASE("unknown words have no candidates and do no harm") {
  Shell shell;
  CHECK(shell.after({"--nonsense", "-"}).size() > 10);
  CHECK(shell.after({"--nonsense=x"}).empty());
  CHECK(shell.after({"-"}).size() > 10);
  CHECK(shell.after({}).size() >= 2);
}

TEST_CASE("three shells have a script") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    REQUIRE(completion_script(shell));
    CHECK(completion_script(shell)->find(std::string(kCompleteWord)) != std::string::npos);
  }
  CHECK_FALSE(completion_script("csh"));
}
