// The routes /v1/headroom, /v1/reserve and /v1/release.

#include "engine/control/reserve_routes.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "engine/control/routes.h"
#include "engine/observers/json.h"
#include "tests/text.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::control;
using namespace memcoord::test;
using memcoord::observers::Json;
using namespace std::chrono_literals;

namespace {

/// A run on a host with one guest that can give memory.
struct ReservingRun {
  CoordinatorHarness harness{
      {World().host(8_GiB, free(3_GiB)).domain("a", actual(2_GiB), unused(1124_MiB), rss(2_GiB))},
      asks({})};
  RunState state;
  ChangeQueue changes{[] {}};
  RouteContext context{.state = state,
                       .changes = changes,
                       .version = "0.1",
                       .connection = "test:///",
                       .interval = 1s,
                       .started_at = WallTime(),
                       .local_time = false,
                       .now = [] { return WallTime(30s); }};
  Handler handler = make_handler(context);

  ReservingRun() { harness.coordinator.add_observer(state); }
  ReservingRun& tick() {
    (void)harness.coordinator.tick();
    return *this;
  }
  [[nodiscard]] Response post(const std::string& path, const std::string& body) const {
    return handler({"POST", path, {}, body, {}});
  }
  [[nodiscard]] Response get(std::map<std::string, std::string> query) const {
    return handler({"GET", "/v1/headroom", std::move(query), {}, {}});
  }
  [[nodiscard]] Json headroom(std::map<std::string, std::string> query = {}) const {
    return Json::parse(get(std::move(query)).body).value();
  }
};

double in_bytes(MemorySize size) {
  return static_cast<double>(size.bytes());
}

}  // namespace

TEST_CASE("the headroom is the guard's, now and over time, with the reserves in force") {
  ReservingRun run;
  CHECK(run.get({}).status == 503);
  run.harness.coordinator.reserve(
      {.name = "web", .size = 512_MiB, .until = run.harness.clock.now() + 60s});
  const Json headroom = run.tick().headroom();
  const Tick& tick = *run.state.view().sampled;
  CHECK(headroom.at("grantable").number() == in_bytes(tick.grantable));
  CHECK(headroom.at("reclaimable").number() == in_bytes(1_GiB));
  CHECK(headroom.at("reserved").number() == in_bytes(512_MiB));
  REQUIRE(headroom.at("within").size() == 3);
  CHECK(headroom.at("within").at(0).at("seconds").number() == 1);
  CHECK(headroom.at("within").at(0).at("bytes").number() == in_bytes(tick.grantable + 562_MiB));
  REQUIRE(headroom.at("reserves").size() == 1);
  const Json reserve = headroom.at("reserves").at(0);
  CHECK(reserve.at("name").string() == "web");
  CHECK(reserve.at("ready") == Json(true));
  CHECK(reserve.at("seconds_left").number() == 60);
  const std::string status = status_text(run.context);
  CHECK(contains(status, "grantable, 512 MiB reserved for guests that start\n"));
  CHECK(status_json(run.context).at("host").at("reserved_kib").number() == 512 * 1024);
  CHECK(contains(run.get({{"as", "text"}}).body,
                 "reserved         512 MiB for web, ready, 60 s left"));
}

TEST_CASE("guests fit together or not, and the answer says when") {
  ReservingRun run;
  run.tick();
  const auto fits = [&](const char* sizes) { return run.headroom({{"fits", sizes}}).at("fit"); };
  CHECK(fits("1GiB").at("fits").string() == "now");
  CHECK(
      contains(fits("1GiB,1GiB,512MiB").at("text").string(), "3 guests of 2.5 GiB together need "));
  CHECK(fits("1GiB,1GiB,512MiB").at("fits").string() == "now");
  CHECK(fits("3GiB").at("within_seconds").number() == 1);
  CHECK(fits("2GiB,2GiB").at("fits").string() == "no");
  CHECK(run.get({{"fits", "1GiB,"}}).status == 400);
  CHECK(run.get({{"fits", "4"}}).status == 400);
}

TEST_CASE("a reserve is queued with its size and time") {
  const ReservingRun run;
  const auto response =
      run.post("/v1/reserve", R"({"name":"web","bytes":1073741824,"seconds":90})");
  CHECK(response.status == 200);
  CHECK(Json::parse(response.body).value().at("done").string() ==
        "1 GiB are reserved for web, for 90 s");
  CHECK(run.post("/v1/reserve", R"({"name":"db","bytes":1})").status == 200);
  CHECK(run.post("/v1/release", R"({"name":"db"})").status == 200);
}

TEST_CASE("the changes of reserves carry what was asked for") {
  ReservingRun run;
  (void)run.post("/v1/reserve",
                 R"({"name":"web","bytes":1073741825,"uuid":")" + id("web").text() + "\"}");
  (void)run.post("/v1/release", R"({"name":"db"})");
  const auto changes = run.changes.drain();
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].kind == Change::Kind::reserve);
  CHECK(changes[0].domain_name == "web");
  CHECK(changes[0].domain == id("web"));
  CHECK(changes[0].size == 1_GiB + 1_KiB);
  CHECK(changes[0].time == 60s);
  CHECK(changes[1].kind == Change::Kind::release);
  CHECK(changes[1].domain_name == "db");
}

TEST_CASE("the time of a reserve tells it apart from the one that it replaces") {
  ReservingRun run;
  const auto response = run.post("/v1/reserve", R"({"name":"web","bytes":1073741824})");
  CHECK(Json::parse(response.body).value().at("since").number() == 30);
  const auto changes = run.changes.drain();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].since == WallTime(30s));
  run.harness.coordinator.reserve({.name = "web",
                                   .size = 1_GiB,
                                   .since = changes[0].since,
                                   .until = run.harness.clock.now() + 60s});
  run.tick();
  CHECK(run.headroom().at("reserves").at(0).at("since").number() == 30);
}

TEST_CASE("a dry run says that it reclaims nothing") {
  ReservingRun run;
  run.harness.coordinator.set_dry_run(true);
  run.tick();
  const auto response = run.post("/v1/reserve", R"({"name":"web","bytes":1024})");
  CHECK(Json::parse(response.body).value().at("dry_run") == Json(true));
  CHECK(contains(run.headroom().at("text").string(), "dry run"));
}

TEST_CASE("a reserve without a name, a size or a time that can be meant is refused") {
  ReservingRun run;
  for (const char* body :
       {"", "{}", R"({"name":""})", R"({"name":7,"bytes":1})", R"({"name":"web"})",
        R"({"name":"web","bytes":0})", R"({"name":"web","bytes":-1})",
        R"({"name":"web","bytes":"1GiB"})", R"({"name":"web","bytes":1e30})",
        R"({"name":"web","bytes":1024,"seconds":0})",
        R"({"name":"web","bytes":1024,"seconds":3601})",
        R"({"name":"web","bytes":1024,"uuid":"x"})", R"({"name":"web","bytes":1024,"uuid":7})"}) {
    CAPTURE(body);
    CHECK(run.post("/v1/reserve", body).status == 400);
  }
  CHECK(contains(run.post("/v1/reserve", R"({"name":"web","bytes":1024,"uuid":7})").body,
                 "uuid is no text"));
  CHECK(run.post("/v1/release", "{}").status == 400);
  CHECK(run.changes.drain().empty());
}
