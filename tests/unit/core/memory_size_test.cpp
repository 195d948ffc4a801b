#include "engine/core/memory_size.h"

#include <doctest/doctest.h>

using namespace memcoord;

TEST_CASE("a size reads as people write it") {
  CHECK(MemorySize::parse("150MiB") == 150_MiB);
  CHECK(MemorySize::parse(" 1.5 GiB ") == 1536_MiB);
  CHECK(MemorySize::parse("150000KiB") == 150000_KiB);
  CHECK(MemorySize::parse("512m") == 512_MiB);
  CHECK(MemorySize::parse("2T") == 2048_GiB);
  CHECK(MemorySize::parse("4096") == 4096_KiB);
  CHECK(MemorySize::parse("0.5MiB") == 512_KiB);
  CHECK(MemorySize::parse("9223372036854775808KiB")->kib() == std::uint64_t{1} << 63U);
}

TEST_CASE("what is no size is refused, with the text and what to write") {
  for (const char* text :
       {"", "MiB", "12 apples", "1e9", "0x10", "1.2.3MiB", ".", "512MB", "- 5",
        "9223372036854775809KiB", "99999999999999999999999TiB", "0.3KiB", "0.0000000001MiB"}) {
    CAPTURE(text);
    const auto size = MemorySize::parse(text);
    REQUIRE_FALSE(size.has_value());
    CHECK(size.error().code == ErrorCode::invalid_input);
    CHECK(size.error().object == "'" + std::string(text) + "'");
    CHECK_FALSE(size.error().hint.empty());
  }
  CHECK(MemorySize::parse("-5MiB").error().message == "a size cannot be negative");
}

TEST_CASE("arithmetic saturates: nothing wraps round, nothing is negative") {
  CHECK(1_MiB - 2_MiB == 0_KiB);
  CHECK(MemorySize::largest() + 1_KiB == MemorySize::largest());
  CHECK(MemorySize::largest() * 2 == MemorySize::largest());
  CHECK(MemorySize::from_gib(std::numeric_limits<std::uint64_t>::max()) == MemorySize::largest());
  CHECK(3_MiB / 2 == 1536_KiB);
  CHECK((100_MiB).scaled(0.5) == 50_MiB);
  CHECK((100_MiB).scaled(-1) == 0_KiB);
  CHECK((100_MiB).scaled(std::numeric_limits<double>::quiet_NaN()) == 0_KiB);
  CHECK(MemorySize::largest().scaled(2) == MemorySize::largest());
}

TEST_CASE("a size is shown to people in the unit that fits, and written to files exactly") {
  CHECK((512_MiB).text() == "512 MiB");
  CHECK((1536_MiB).text() == "1.5 GiB");
  CHECK((800_KiB).text() == "800 KiB");
  CHECK((0_KiB).text() == "0 KiB");
  CHECK(MemorySize::from_kib(1024 * 1024 - 1).text() == "1 GiB");
  CHECK((512_MiB).exact() == "512MiB");
  CHECK((150000_KiB).exact() == "150000KiB");
  CHECK((0_KiB).exact() == "0KiB");
  for (const std::uint64_t kib : {1U, 1023U, 1024U, 150000U, 1U << 30U}) {
    CHECK(MemorySize::parse(MemorySize::from_kib(kib).exact()) == MemorySize::from_kib(kib));
  }
}

TEST_CASE("a change carries its sign") {
  CHECK(change_text(512_MiB, 640_MiB) == "+128 MiB");
  CHECK(change_text(640_MiB, 512_MiB) == "-128 MiB");
  CHECK(change_text(1_MiB, 1_MiB) == "0");
  CHECK(signed_change_kib(5_KiB, 3_KiB) == -2);
  CHECK(signed_change_kib(0_KiB, MemorySize::largest()) ==
        std::numeric_limits<std::int64_t>::max());
}
