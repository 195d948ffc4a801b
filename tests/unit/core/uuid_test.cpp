#include "engine/core/uuid.h"

#include <doctest/doctest.h>

using namespace memcoord;

TEST_CASE("a UUID is read as it was written") {
  const std::string text = "01234567-89ab-cdef-0123-456789abcdef";
  const auto uuid = Uuid::parse(text);
  REQUIRE(uuid.has_value());
  CHECK(uuid->high == 0x0123456789abcdefU);
  CHECK(uuid->text() == text);
  CHECK(Uuid::parse("01234567-89AB-CDEF-0123-456789ABCDEF") == uuid);
}

TEST_CASE("a text that is not a UUID is refused") {
  for (const char* text :
       {"", "0", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdef0", "0123456g-89ab-cdef-0123-456789abcdef"}) {
    CAPTURE(text);
    CHECK_FALSE(Uuid::parse(text).has_value());
  }
}
