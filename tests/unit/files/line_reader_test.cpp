#include "engine/files/line_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::files;
using memcoord::test::Folder;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  const Folder folder;
  auto reader = LineReader::open(folder.write("f", text), "journal").value();
  std::vector<std::string> lines;
  while (reader.next().value()) lines.push_back(reader.text());
  return lines;
}

}  // namespace

TEST_CASE("a file is read line by line, whatever the blocks it is read in") {
  CHECK(lines_of("").empty());
  CHECK(lines_of("a\n\nb") == std::vector<std::string>{"a", "", "b"});
  const std::string long_line(200'000, 'x');
  CHECK(lines_of(long_line + "\nshort\n" + long_line) ==
        std::vector<std::string>{long_line, "short", long_line});
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += std::to_string(i) + "\n";
  const auto read = lines_of(many);
  REQUIRE(read.size() == 100'000);
  CHECK(read.back() == "99999");
}

TEST_CASE("a last line without its end is told") {
  const Folder folder;
  auto reader = LineReader::open(folder.write("f", "a\nb"), "journal").value();
  CHECK(reader.next().value());
  CHECK_FALSE(reader.is_open_ended());
  CHECK(reader.next().value());
  CHECK(reader.is_open_ended());
  CHECK(reader.number() == 2);
  CHECK_FALSE(reader.next().value());
}

TEST_CASE("a line without an end is an error, and takes no more memory than the longest line") {
  const Folder folder;
  const auto path = folder.write("f", "first\n");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40U);
  auto reader = LineReader::open(path, "journal").value();
  CHECK(reader.next().value());
  const auto endless = reader.next();
  REQUIRE_FALSE(endless);
  CHECK(endless.error().message == "a line longer than 16 MiB");
  CHECK(endless.error().object == path.string() + ":2");
  CHECK(reader.text().capacity() <= 2 * kLongestLine);
}

TEST_CASE("the longest line is read") {
  const Folder folder;
  auto reader =
      LineReader::open(folder.write("f", std::string(kLongestLine, 'x') + "\n"), "journal").value();
  CHECK(reader.next().value());
  CHECK(reader.text().size() == kLongestLine);
}
