#include "engine/core/memory_size.h"

#include <doctest/doctest.h>

#include <string>

using namespace memcoord;

namespace {

std::string refusal(std::string_view text) {
  const auto size = MemorySize::parse_with_unit(text);
  REQUIRE_FALSE(size.has_value());
  return size.error().text();
}

}  // namespace

TEST_CASE("both parsers read a size with its unit, and 0 without one") {
  struct Row {
    const char* text;
    MemorySize size;
  };
  for (const auto& [text, size] : {
           Row{"150MiB", 150_MiB},
           Row{" 1.5 GiB ", 1536_MiB},
           Row{"150000KiB", 150000_KiB},
           Row{"512m", 512_MiB},
           Row{"2T", 2048_GiB},
           Row{"0.5MiB", 512_KiB},
           Row{"9223372036854775808KiB", MemorySize::from_kib(std::uint64_t{1} << 63U)},
           Row{"0", 0_KiB},
           Row{" 00.0 ", 0_KiB},
           Row{"0GiB", 0_KiB},
           // kB, MB, GB and TB are powers of 1000, rounded down to whole KiB.
           Row{"1024kB", 1000_KiB},
           Row{"150000 KB", MemorySize::from_bytes(150'000'000)},
           Row{"500MB", MemorySize::from_bytes(500'000'000)},
           Row{"1.5gb", MemorySize::from_bytes(1'500'000'000)},
           Row{"0.000000001GB", 0_KiB},
           Row{"2TB", MemorySize::from_bytes(2'000'000'000'000)},
           Row{"1.000001 TB", MemorySize::from_bytes(1'000'001'000'000)},
           Row{"1kB", 0_KiB},
           Row{"9000000000000000000kB", MemorySize::from_kib(8789062500000000000U)},
       }) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(MemorySize::parse_with_unit(text) == size);
    CHECK(MemorySize::parse_with_unit_or_kib(text) == size);
  }
}

TEST_CASE("a number without a unit is KiB for one parser, and an error for the other") {
  CHECK(MemorySize::parse_with_unit_or_kib("4096") == 4096_KiB);
  CHECK(MemorySize::parse_with_unit_or_kib(" 64 ") == 64_KiB);
  CHECK(refusal("4096").starts_with("'4096' has no unit; "));
  CHECK(refusal(" 64 ").starts_with("' 64 ' has no unit; "));
}

TEST_CASE("the error for a number without a unit names the sizes that it may mean") {
  struct Row {
    const char* text;
    const char* hint;
  };
  for (const auto& [text, hint] : {
           Row{"64", "did you mean 64MiB or 64GiB?"},
           Row{"1.5", "did you mean 1.5MiB or 1.5GiB?"},
           Row{"0.5", "did you mean 0.5GiB?"},
           Row{"4096", "did you mean 4096KiB or 4096MiB?"},
           Row{"2097152", "did you mean 2097152KiB?"},
           Row{"1073741824", "did you mean 1073741824KiB or 1GiB?"},  // a GiB in bytes
           Row{"68719476736", "did you mean 64GiB?"},
           Row{"68719476737",
               "write a size as 512MiB, 1.5GiB or 150000KiB, "
               "or in powers of 1000 as 500MB"},
           Row{"0.0001",
               "write a size as 512MiB, 1.5GiB or 150000KiB, "
               "or in powers of 1000 as 500MB"},
           Row{"000000000000000000064",
               "write a size as 512MiB, 1.5GiB or 150000KiB, "
               "or in powers of 1000 as 500MB"},
       }) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(refusal(text) == "'" + std::string(text) + "' has no unit; " + hint);
  }
}

TEST_CASE("a number with a unit of memory is meant to be a size, even if it cannot be read") {
  for (const char* text : {"150MiB", "150 Mi", "1,5GiB", "-5MB", "1.2.3MiB", "64 megabytes", "8b",
                           "12PiB", " 10g ", "1_000KiB", "0.3KiB", "1 byte"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(MemorySize::is_meant_by(text));
  }
  for (const char* text : {"", "MiB", "30s", "25%", "500ms", "10min", "3 guests", "12 apples",
                           "2024", "2024-05-17", "web", "m", "10 backups", "4x4"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK_FALSE(MemorySize::is_meant_by(text));
  }
}

TEST_CASE("a text that is not a size is refused, with a hint what to write") {
  struct Row {
    const char* text;
    const char* problem;
  };
  for (const auto& [text, problem] : {
           Row{"", "is not a size of memory"},
           Row{"MiB", "is not a size of memory"},
           Row{"12 apples", "is not a size of memory"},
           Row{"1e9", "is not a size of memory"},
           Row{"0x10", "is not a size of memory"},
           Row{"1,5", "is not a size of memory"},
           Row{"1.2.3MiB", "is not a size of memory"},
           Row{".", "is not a size of memory"},
           Row{"512PB", "is not a size of memory"},
           Row{"512 MBs", "is not a size of memory"},
           Row{"- 5", "is negative"},
           Row{"-5", "is negative"},
           Row{"-5MiB", "is negative"},
           Row{"9444732965739290428000kB", "is larger than any memory"},
           Row{"9999999999TB", "is larger than any memory"},
           Row{"9223372036854775809KiB", "is larger than any memory"},
           Row{"99999999999999999999999TiB", "is larger than any memory"},
           Row{"0.3KiB", "is not a whole number of KiB"},
           Row{"0.0000000001MiB", "is not a whole number of KiB"},
       }) {
    const std::string shown(text);
    CAPTURE(shown);
    const auto size = MemorySize::parse_with_unit_or_kib(text);
    REQUIRE_FALSE(size.has_value());
    CHECK(size.error().code == ErrorCode::invalid_input);
    CHECK(size.error().message == "'" + std::string(text) + "' " + problem);
    CHECK_FALSE(size.error().hint.empty());
    CHECK(size.error().text() == refusal(text));
  }
  CHECK(refusal(std::string(1000, 'x')).size() < 200);
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
    CHECK(MemorySize::parse_with_unit(MemorySize::from_kib(kib).exact()) ==
          MemorySize::from_kib(kib));
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
