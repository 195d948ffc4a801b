// The completion script in a real bash, asking the real program.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"

using memcoord::testing::Finished;
using memcoord::testing::Process;
using memcoord::testing::ScratchFiles;

namespace {

// What bash would offer for the line: one candidate a line, in order.
std::string offered(const std::string& line, const std::string& directory = "/") {
  const std::string script = R"(
cd "$2"
compopt() { :; }  # works only while the user types
source <("$1" completion bash)
memcoord() { :; }
COMP_LINE=${3/memcoord/$1} COMP_POINT=0
COMP_POINT=${#COMP_LINE}
_memcoord
printf '%s\n' "${COMPREPLY[@]}"
)";
  Process bash({"/bin/bash", "--norc", "-c", script, "bash", MEMCOORD_BINARY, directory, line});
  const Finished run = bash.finish();
  CHECK(run.errors.empty());
  return run.output;
}

}  // namespace

TEST_CASE("bash completes commands and options") {
  CHECK(offered("memcoord dom") == "domain\n");
  CHECK(offered("memcoord domain s") == "show\nset\n");
  CHECK(offered("memcoord --journ") == "--journal\n");
  CHECK(offered("memcoord domain set vm --min") == "--minimum\n");
}

TEST_CASE("bash completes values, after a blank and after an equals sign") {
  CHECK(offered("memcoord --headroom ") == "larger\nunused\nusable\n");
  CHECK(offered("memcoord --headroom=us") == "usable\n");
  CHECK(offered("memcoord --policy halv") == "halving\n");
  CHECK(offered("memcoord completion z") == "zsh\n");
}

TEST_CASE("bash completes policy files, and names with colons in them") {
  const ScratchFiles files;
  files.write("mine.lua", "");
  files.write("mine.txt", "");
  const std::string directory = files.path("");
  CHECK(offered("memcoord check mi", directory) == "mine.lua\n");
  CHECK(offered("memcoord --journal mi", directory) == "mine.lua\nmine.txt\n");
  CHECK(offered("memcoord --connect qemu:///sy") == "///system\n");
}
