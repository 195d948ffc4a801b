// --journal-max in the whole program.

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

TEST_CASE("a folder as a journal is read by the commands that read journals") {
  const ScratchFiles files;
  const std::string folder = files.path("ticks/");
  const std::string scenario = files.write("long.lua", R"(return {
    host = { total = 4 * GiB },
    duration = 2000,
    domains = { { name = "web", maximum = 1 * GiB, initial = 512 * MiB, demand = {
      generator = "walk", low = 50 * MiB, high = 600 * MiB, period = 120 } } },
  })");
  // 1,000 ticks of virtual time are two segments.
  REQUIRE(run_memcoord({"--connect", "sim:" + scenario, "--no-wait", "--ticks", "1000",
                        "--min-interval", "0", "--journal", folder, "--journal-keep", "30d"})
              .exit_code == 0);
  CHECK(contains(run_memcoord({"replay", "--policy", "band", folder}).output, "in 1000 ticks: "));
  CHECK(run_memcoord({"events", "--journal", folder}).output.size() > 100);
  // The run ends before all is packed, or after. The next one packs the rest.
  const std::string lines = run_memcoord({"ticks", folder}).output;
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 1000);
  std::ofstream(files.path("plain.jsonl")) << lines;
  CHECK(run_memcoord({"ticks", files.path("plain.jsonl")}).output == lines);
}

TEST_CASE("record writes a folder, moves nothing, and says where it records and what it has") {
  const ScratchFiles files;
  const std::string folder = files.path("week");
  const Finished run =
      run_memcoord({"record", "-o", folder, "--connect", "sim:numa", "--ticks", "2", "100ms"});
  CHECK(run.exit_code == 0);
  CHECK(run.output.empty());
  CHECK(contains(run.errors, "recording 4 domains to " + folder + "/ since "));
  CHECK(contains(run.errors,
                 "; Ctrl-C ends it\nrecorded 2 ticks to " + folder + "/; its journal has "));
  CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 2);
  const std::string lines = run_memcoord({"ticks", folder}).output;
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(contains(lines, "\"dry_run\":true"));
  CHECK_FALSE(contains(lines, "\"kind\":\"applied\""));
  CHECK(refusal({"record"}).starts_with("--output: is missing"));
}

TEST_CASE("a recording that cannot begin leaves no folder") {
  const ScratchFiles files;
  const std::string folder = files.path("week");
  const Finished run = run_memcoord({"record", "-o", folder, "--connect", "sim:nosuch"});
  CHECK(run.exit_code == 2);
  CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("the help of record speaks of recordings alone") {
  const std::string help = run_memcoord({"record", "--help"}).output;
  for (const char* other : {"balance", "touch", "FILE.1"}) {
    CAPTURE(other);
    CHECK_FALSE(contains(help, other));
  }
}

TEST_CASE("--journal-keep needs a journal that is a folder") {
  const ScratchFiles files;
  CHECK(refusal({"--connect", "sim:numa", "--journal", files.path("j"), "--journal-keep", "7d"}) ==
        "--journal-keep: needs a journal that is a folder, and " + files.path("j") +
            " is a file; name a folder: --journal DIR/");
  CHECK(refusal({"--connect", "sim:numa", "--journal-keep", "7d"}) ==
        "--journal-keep: limits a journal, but there is none; add --journal DIR/");
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

TEST_CASE("SIGTERM ends a run that keeps a folder as its journal in order") {
  const ScratchFiles files;
  Process run(memcoord_command({"--connect", "sim:case1", "--journal", files.path("ticks/"), "1"}));
  REQUIRE(run.wait_for_errors("policy adaptive"));
  run.signal(SIGTERM);
  const Finished ended = run.finish();
  CHECK(ended.exit_code == 0);
  CHECK(contains(ended.errors, "asked to end"));
}
