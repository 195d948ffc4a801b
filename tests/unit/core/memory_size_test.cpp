#include "engine/core/memory_size.h"

#include <doctest/doctest.h>

using namespace memcoord;

TEST_CASE("a size is read as people write it") {
  CHECK(MemorySize::parse("150MiB") == 150_MiB);
  CHECK(MemorySize::parse(" 1.5 GiB ") == 1536_MiB);
  CHECK(MemorySize::parse("150000KiB") == 150000_KiB);
  CHECK(MemorySize::parse("512m") == 512_MiB);
  CHECK(MemorySize::parse("2T") == 2048_GiB);
  CHECK(MemorySize::parse("4096") == 4096_KiB);
  CHECK(MemorySize::parse("0.5MiB") == 512_KiB);
  CHECK(MemorySize::parse("9223372036854775808KiB")->kib() == std::uint64_t{1} << 63U);
}

TEST_CASE("kB, MB, GB and TB are powers of 1000, rounded down to whole KiB") {
  CHECK(MemorySize::parse("1024kB") == 1000_KiB);
  CHECK(MemorySize::parse("150000 KB") == MemorySize::from_bytes(150'000'000));
  CHECK(MemorySize::parse("500MB") == MemorySize::from_bytes(500'000'000));
  CHECK(MemorySize::parse("1.5gb") == MemorySize::from_bytes(1'500'000'000));
  CHECK(MemorySize::parse("0.000000001GB") == 0_KiB);
  CHECK(MemorySize::parse("2TB") == MemorySize::from_bytes(2'000'000'000'000));
  CHECK(MemorySize::parse("1.000001 TB") == MemorySize::from_bytes(1'000'001'000'000));
  CHECK(MemorySize::parse("1kB") == 0_KiB);
  CHECK(MemorySize::parse("9000000000000000000kB")->kib() == 8789062500000000000U);
}

TEST_CASE("a number with a unit of memory is meant to be a size, even if it cannot be read") {
  for (const char* text : {"150MiB", "150 Mi", "1,5GiB", "-5MB", "1.2.3MiB", "64 megabytes", "8b",
                           "12PiB", " 10g ", "1_000KiB", "0.3KiB", "1 byte"}) {
    CAPTURE(text);
    CHECK(MemorySize::is_meant_by(text));
  }
  for (const char* text : {"", "MiB", "30s", "25%", "500ms", "10min", "3 guests", "12 apples",
                           "2024", "2024-05-17", "web", "m", "10 backups", "4x4"}) {
    CAPTURE(text);
    CHECK_FALSE(MemorySize::is_meant_by(text));
  }
}

TEST_CASE("a text that is not a size is refused, with a hint what to write") {
  for (const char* text :
       {"", "MiB", "12 apples", "1e9", "0x10", "1.2.3MiB", ".", "512PB", "- 5", "512 MBs",
        "9444732965739290428000kB", "9999999999TB", "9223372036854775809KiB",
        "99999999999999999999999TiB", "0.3KiB", "0.0000000001MiB"}) {
    CAPTURE(text);
    const auto size = MemorySize::parse(text);
    REQUIRE_FALSE(size.has_value());
    CHECK(size.error().code == ErrorCode::invalid_input);
    CHECK(size.error().object == "'" + std::string(text) + "'");
    CHECK_FALSE(size.error().hint.empty());
  }
  CHECK(MemorySize::parse("-5MiB").error().message == "a size cannot be negative");
}

TEST_CASE("arithmetic saturates: no size wraps round or is negative") {
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

TEST_CASE("people see a size in the unit that fits, files the exact size") {
  CHECK((512_MiB).text() == "512 MiB");
  CHECK((1536_MiB).text() == "1.5 GiB");
  CHECK((800_KiB).text() == "800 KiB");
  CHECK((0_KiB).text() == "0 KiB");
  CHECK(MemorySize::from_kib(1024 * 1024 - 1).text() == "1 GiB");
  CHECK((2_GiB - 50_MiB).text() == "1.95 GiB");
  CHECK((99_MiB + 972_KiB).text() == "99.9 MiB");
  CHECK((1013_MiB + 400_KiB).text() == "1013 MiB");
  CHECK((9_GiB + 1023_MiB).text() == "10 GiB");
  CHECK((10_MiB + 10_KiB).text() == "10 MiB");
  CHECK(MemorySize::from_gib(2048).text() == "2 TiB");
  CHECK((512_MiB).exact() == "512MiB");
  CHECK((150000_KiB).exact() == "150000KiB");
  CHECK((0_KiB).exact() == "0KiB");
  for (const std::uint64_t kib : {1U, 1023U, 1024U, 150000U, 1U << 30U}) {
    CHECK(MemorySize::parse(MemorySize::from_kib(kib).exact()) == MemorySize::from_kib(kib));
  }
}

TEST_CASE("a size is shown in one unit on request, in three digits") {
  CHECK((2_GiB).text(Units::kib) == "2097152 KiB");
  CHECK((2_GiB).text(Units::mib) == "2048 MiB");
  CHECK((512_MiB).text(Units::gib) == "0.5 GiB");
  CHECK((50_MiB).text(Units::gib) == "0.0488 GiB");
  CHECK((1_KiB).text(Units::mib) == "0.000977 MiB");
  CHECK((0_KiB).text(Units::gib) == "0 GiB");
  CHECK((100_KiB).text(Units::kib) == "100 KiB");
  CHECK((7_KiB).text(Units::kib) == "7 KiB");
}

TEST_CASE("the two sizes of a move can be told apart, however large they are") {
  CHECK(move_text(2_GiB, 2_GiB - 50_MiB) == "2 GiB -> 1.95 GiB");
  CHECK(move_text(100_GiB, 100_GiB - 50_MiB) == "100 GiB -> 99.95 GiB");
  CHECK(move_text(1_GiB, 1_GiB - 1_KiB) == "1 GiB -> 0.999999 GiB");
  CHECK(move_text(2_GiB, 2_GiB) == "2 GiB -> 2 GiB");
  CHECK(move_text(2_GiB, 2_GiB - 1_KiB, Units::kib) == "2097152 KiB -> 2097151 KiB");
  CHECK(digits_to_tell_apart(8_GiB, 4_GiB) == 3);
  const MemorySize huge = MemorySize::from_kib(std::uint64_t{1} << 53U);
  CHECK(huge.text(Units::automatic, digits_to_tell_apart(huge, huge - 1_KiB)) !=
        (huge - 1_KiB).text(Units::automatic, digits_to_tell_apart(huge, huge - 1_KiB)));
}

TEST_CASE("a change carries its sign") {
  CHECK(change_text(512_MiB, 640_MiB) == "+128 MiB");
  CHECK(change_text(640_MiB, 512_MiB) == "-128 MiB");
  CHECK(change_text(1_MiB, 1_MiB) == "0");
  CHECK(signed_change_kib(5_KiB, 3_KiB) == -2);
  CHECK(signed_change_kib(0_KiB, MemorySize::largest()) ==
        std::numeric_limits<std::int64_t>::max());
}
