#include "engine/metrics/metrics_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/text.h"
#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::test;
using metrics::MetricsFile;

TEST_CASE("the metrics' file has the last text, is readable to everyone, and goes with the run") {
  const Folder folder;
  {
    const auto file = MetricsFile::open(folder / "a.prom").value();
    CHECK(!std::filesystem::exists(folder / "a.prom"));
    file->write("memcoord_up 0\n");
    std::filesystem::permissions(folder / "a.prom", std::filesystem::perms::owner_all);
    file->write("memcoord_up 1\n");
    CHECK(folder.read("a.prom") == "memcoord_up 1\n");
    struct stat found {};
    REQUIRE(::stat((folder / "a.prom").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0644);
    CHECK(file->drain_notes().empty());
  }
  CHECK(!std::filesystem::exists(folder / "a.prom"));
}

TEST_CASE("a run that has written no metrics leaves the file of another run") {
  const Folder folder;
  const std::string metrics = "# HELP memcoord_up Whether a tick has run.\nmemcoord_up 1\n";
  folder.write("a.prom", metrics);
  { const auto file = MetricsFile::open(folder / "a.prom").value(); }
  CHECK(folder.read("a.prom") == metrics);
}

TEST_CASE("a file with something other than metrics is refused and stays as it is") {
  const Folder folder;
  for (const std::string text : {"my notes\n", "# HELP node_load1 The load.\n", "#"}) {
    CAPTURE(text);
    const auto path = folder.write("a.prom", text);
    const auto file = MetricsFile::open(path);
    REQUIRE(!file);
    CHECK(file.error().code == ErrorCode::invalid_input);
    CHECK(file.error().text() ==
          path.string() +
              ": exists and has no metrics of memcoord; the file stays as it is; name a file that "
              "does not exist yet");
    CHECK(folder.read("a.prom") == text);
  }
}

TEST_CASE("an empty file, and the metrics of an earlier run, are replaced") {
  const Folder folder;
  for (const char* text : {"", "# HELP memcoord_build_info The version of memcoord.\n"}) {
    CAPTURE(text);
    const auto file = MetricsFile::open(folder.write("a.prom", text));
    REQUIRE(file);
    (*file)->write("memcoord_up 1\n");
    CHECK(folder.read("a.prom") == "memcoord_up 1\n");
  }
}

TEST_CASE("a run leaves the metrics that another run has written since") {
  const Folder folder;
  auto first = MetricsFile::open(folder / "a.prom").value();
  const auto second = MetricsFile::open(folder / "a.prom").value();
  first->write("# HELP memcoord_up first\n");
  second->write("# HELP memcoord_up second\n");
  second->write("# HELP memcoord_up third\n");
  first.reset();
  CHECK(folder.read("a.prom") == "# HELP memcoord_up third\n");
}

TEST_CASE("a symbolic link stays, and the metrics that it leads to go with the run") {
  const Folder folder;
  std::filesystem::create_symlink("a.prom", folder / "link");
  {
    const auto file = MetricsFile::open(folder / "link").value();
    file->write("memcoord_up 1\n");
    CHECK(folder.read("a.prom") == "memcoord_up 1\n");
  }
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(!std::filesystem::exists(folder / "a.prom"));
}

TEST_CASE("metrics that cannot be written are noted once, and so is that writing works again") {
  const Folder folder;
  std::filesystem::create_directory(folder / "in");
  const auto file = MetricsFile::open(folder / "in" / "a.prom").value();
  std::filesystem::remove(folder / "in");
  file->write("memcoord_up 1\n");
  file->write("memcoord_up 1\n");
  const auto failed = file->drain_notes();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].severity == Note::Severity::error);
  CHECK(contains(failed[0].text, "cannot write the metrics, the run goes on: "));
  std::filesystem::create_directory(folder / "in");
  file->write("memcoord_up 1\n");
  file->write("memcoord_up 1\n");
  const auto works = file->drain_notes();
  REQUIRE(works.size() == 1);
  CHECK(contains(works[0].text, "a.prom: metrics are written again"));
}

TEST_CASE("a file that cannot be written is refused at once") {
  const Folder folder;
  const auto file = MetricsFile::open(folder / "none" / "a.prom");
  REQUIRE(!file);
  CHECK(file.error().code == ErrorCode::not_found);
}
