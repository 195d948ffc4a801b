// --journal-max in the whole program.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using namespace memcoord::testing;
using memcoord::contains;

TEST_CASE("replay reads the two files of a rotated journal as one run") {
  const ScratchFiles files;
  const std::string path = files.path("ticks.jsonl");
  const Finished run = run_memcoord({"--connect", "sim:numa", "--no-wait", "--ticks", "240",
                                     "--journal", path, "--journal-max", "1MiB"});
  REQUIRE(run.exit_code == 0);
  CHECK(std::filesystem::file_size(path + ".1") <= 512 * 1024);
  const std::string command = "cat " + path + ".1 " + path +
                              " | " MEMCOORD_BINARY " replay --policy band /dev/stdin >" +
                              files.path("out");
  REQUIRE(std::system(command.c_str()) == 0);  // NOLINT: a shell's pipe
  CHECK(contains(files.read("out"), "band in 240 ticks: "));
}

TEST_CASE("a limit of the journal that holds no tick, or has no journal, is refused") {
  const ScratchFiles files;
  CHECK(refusal({"--journal", files.path("j"), "--journal-max", "64KiB"}) ==
        "--journal-max: 64KiB is too small for ticks; expected 1MiB or more");
  CHECK(refusal({"--connect", "sim:numa", "--journal-max", "1GiB"}) ==
        "--journal-max: limits a journal, but there is none; add --journal FILE");
  const std::string config = files.write("c.toml", "journal = \"j\"\njournal-max = \"1KiB\"\n");
  CHECK(contains(refusal({"--config", config}), "c.toml:2:15: journal-max: 1KiB is too small"));
}
