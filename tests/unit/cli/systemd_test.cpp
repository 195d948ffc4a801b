#include "engine/cli/systemd.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;
using observers::Log;
using observers::LogFields;

namespace {

using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("journald gets the fields of a move") {
  CHECK(journald_fields(Log::Level::info, "web: 1 GiB -> 2 GiB",
                        {.domain = "web",
                         .rules = {Rule::gradual, Rule::host_floor},
                         .from = 1_GiB,
                         .to = 2_GiB}) ==
        Fields{"MESSAGE=web: 1 GiB -> 2 GiB", "PRIORITY=6", "SYSLOG_IDENTIFIER=memcoord",
               "MEMCOORD_DOMAIN=web", "MEMCOORD_RULE=gradual", "MEMCOORD_RULE=host_floor",
               "MEMCOORD_FROM_BYTES=1073741824", "MEMCOORD_TO_BYTES=2147483648"});
}

TEST_CASE("journald gets no fields for what a line is not about") {
  CHECK(journald_fields(Log::Level::error, "the host is short", {}) ==
        Fields{"MESSAGE=the host is short", "PRIORITY=3", "SYSLOG_IDENTIFIER=memcoord"});
}

TEST_CASE("a domain's name is one field in journald, whatever it has in it") {
  const Fields fields = journald_fields(Log::Level::debug, "x", {.domain = "a\nPRIORITY=0"});
  CHECK(fields.at(1) == "PRIORITY=7");
  CHECK(fields.at(3) == "MEMCOORD_DOMAIN=a\nPRIORITY=0");
  CHECK(fields.size() == 4);
}

TEST_CASE("lines that journald does not take go to the other log") {
  bool takes = true;
  std::vector<Fields> sent;
  std::vector<std::string> others;
  const Log log(Log::Level::info, log_to_journald(
                                      [&](const Fields& fields) {
                                        if (takes) sent.push_back(fields);
                                        return takes;
                                      },
                                      [&](Log::Level, const std::string& line, const LogFields&) {
                                        others.push_back(line);
                                      }));
  log.warn("one", {.domain = "web"});
  CHECK(others.empty());
  REQUIRE(sent.size() == 1);
  CHECK(sent.front() ==
        Fields{"MESSAGE=one", "PRIORITY=4", "SYSLOG_IDENTIFIER=memcoord", "MEMCOORD_DOMAIN=web"});
  takes = false;
  log.info("two");
  CHECK(others == std::vector<std::string>{"two"});
  CHECK(sent.size() == 1);
}

TEST_CASE("a watchdog's time that no duration has is ignored") {
  CHECK(watchdog_time(30'000'000) == Duration(std::chrono::seconds(30)));
  CHECK(watchdog_time(9223372036854775807U) == Duration::max());
  CHECK(!watchdog_time(9223372036854775808U));
  CHECK(!watchdog_time(18446744073709551614U));
}
