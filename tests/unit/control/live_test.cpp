#include "engine/control/live.h"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

/// A run on a host with "db" and "web", whose policy shrinks "web".
struct LiveRun {
  CoordinatorHarness harness{
      {World()
           .host(10_GiB, free(5_GiB), available(6_GiB), swap_free(1_GiB))
           .domain("db", actual(1_GiB), unused(300_MiB), usable(400_MiB), rss(900_MiB))
           .domain("web", actual(2_GiB), unused(800_MiB), rss(2_GiB), weight(2))},
      asks({{"web", 1_GiB}})};
  RunState state;
  RunHistory history;
  ChangeQueue changes{[] {}};
  int loaded = 0;
  RouteContext context{
      .state = state,
      .changes = changes,
      .version = "0.2.0",
      .connection = "test:///",
      .interval = 1s,
      .started_at = WallTime(10s),
      .local_time = false,
      .now =
          [this] {
            const auto newest = state.view().newest;
            return newest ? newest->snapshot.wall_time + later : WallTime(30s);
          },
      .history = &history,
      .policies = {"band", "broken", "shares"},
      .load_bundled = [this](const std::string& name) -> Result<std::unique_ptr<Policy>> {
        ++loaded;
        if (name == "broken") return std::make_unique<FakePolicy>(broken);
        return asks({{"db", 512_MiB}}, name);
      }};
  std::chrono::milliseconds later{200};
  Handler handler = make_handler(context);

  LiveRun() {
    harness.coordinator.add_observer(state);
    harness.coordinator.add_observer(history);
  }
  static Result<PolicyAnswer> broken(const Situation&) {
    return fail(ErrorCode::policy_failed, "broken.lua:3", "broke");
  }
  LiveRun& tick() {
    harness.coordinator.tick();
    harness.clock.sleep_through(1s);
    return *this;
  }
  [[nodiscard]] Response get(const std::string& path,
                             std::map<std::string, std::string> query = {}) const {
    return handler({"GET", path, std::move(query), {}, {}});
  }
  [[nodiscard]] Json json(const std::string& path,
                          std::map<std::string, std::string> query = {}) const {
    const Response response = get(path, std::move(query));
    CHECK(response.status == 200);
    return Json::parse(response.body).value();
  }
};

double mib(double size) {
  return size * 1024 * 1024;
}

}  // namespace

TEST_CASE("before the first sample the live data have the run, and no host") {
  const Json live = LiveRun().json("/v1/live");
  CHECK(live.at("version").string() == "0.2.0");
  CHECK(live.at("started_at").number() == 10);
  CHECK(live.at("now").number() == 30);
  CHECK(live.at("tick") == Json());
  CHECK(live.at("host") == Json());
  CHECK(live.at("domains").size() == 0);
  CHECK(live.at("policies") == Json::array({"band", "broken", "shares"}));
  CHECK(live.at("state_text").string() == "memcoord has not sampled the host yet.");
  CHECK_FALSE(live.find("state"));
}

TEST_CASE("the live data describe the newest tick, in bytes") {
  LiveRun run;
  run.state.set_paused({{false, "db, by root", id("db")}});
  const Json live = run.tick().json("/v1/live");
  CHECK(live.at("tick").at("number").number() == 1);
  CHECK(live.at("tick").at("time").number() == live.at("now").number() - 0.2);
  CHECK(live.at("policy").string() == "fake");
  CHECK(live.at("fallback").string().empty());
  CHECK(live.at("dry_run") == Json(false));
  CHECK(live.at("paused") == Json::array({"db, by root"}));
  CHECK(live.at("problems").size() == 0);
  CHECK(live.at("state").string() == "fine");
  CHECK(contains(live.at("state_text").string(), "The host can grant "));
}

TEST_CASE("the parts of the host's bar add up to its memory") {
  const Json host = LiveRun().tick().json("/v1/live").at("host");
  double sum = 0;
  for (const char* part : {"used", "backed", "unbacked", "grantable", "reserved", "floor"}) {
    sum += host.at(part).number();
  }
  CHECK(sum == mib(10240));
  CHECK(host.at("memory").number() == mib(10240));
  CHECK(host.at("backed").number() == mib(900 + 2048));
  CHECK(host.at("available").number() == mib(6144));
  CHECK(host.at("swap_free").number() == mib(1024));
  CHECK(host.at("shortfall").number() == 0);
  CHECK_FALSE(host.find("budget"));
}

TEST_CASE("each domain has its figures and its last decision in words") {
  const Json domains = LiveRun().tick().json("/v1/live").at("domains");
  REQUIRE(domains.size() == 2);
  const Json db = domains.at(0);
  CHECK(db.at("uuid").string() == id("db").text());
  CHECK(db.at("used").number() == mib(1024 - 400));
  CHECK(db.at("cache").number() == mib(100));
  CHECK(db.at("free").number() == mib(300));
  CHECK(db.at("headroom").number() == mib(400));
  CHECK(db.at("rss").number() == mib(900));
  CHECK(db.at("target").number() == mib(1024));
  CHECK(db.at("trouble").string().empty());
  CHECK(db.at("decision").string() == "It has enough memory and keeps its size.");
  const Json web = domains.at(1);
  CHECK(web.at("target").number() == mib(2048 - 400));
  CHECK(web.at("decision").string().starts_with("It shrinks by 400 MiB"));
  CHECK(web.at("rules") == Json::array({"gradual"}));
  CHECK(web.at("weight").number() == 2);
  CHECK(web.at("reporting") == Json(true));
}

TEST_CASE("a guest that does not report has no figures, and its skipping has a reason") {
  LiveRun run;
  run.harness.hypervisor = FakeHypervisor({World()
                                               .host(8_GiB, free(4_GiB))
                                               .domain("db", reported_ago(60s), unused(1_MiB))
                                               .domain("web", state(DomainState::hung))
                                               .domain("x", unused(40_MiB), maximum(1_GiB))});
  const Json domains = run.tick().json("/v1/live").at("domains");
  const Json db = domains.at(0);
  CHECK(db.at("reporting") == Json(false));
  for (const char* figure : {"used", "cache", "free", "headroom"}) CHECK_FALSE(db.find(figure));
  CHECK(contains(db.at("skipped").string(), "its statistics are older than"));
  CHECK(domains.at(1).at("state").string() == "hung");
  CHECK(domains.at(1).at("trouble").string() == "hung");
  CHECK(domains.at(2).at("trouble").string() == "short");
  CHECK(domains.at(2).at("skipped").string().empty());
}

TEST_CASE("an explanation has the domain's sizes as numbers") {
  LiveRun run;
  const Json sizes = run.tick().json("/v1/domains/web").at("sizes");
  CHECK(sizes.at("actual").number() == mib(2048));
  CHECK(sizes.at("target").number() == mib(1648));
  CHECK(sizes.at("headroom").number() == mib(800));
  CHECK_FALSE(sizes.find("name"));
}

TEST_CASE("domains are described anew at each tick") {
  LiveRun run;
  const auto web = [&] { return run.json("/v1/live").at("domains").at(1).at("actual").number(); };
  run.tick();
  CHECK(web() == mib(2048));
  CHECK(web() == mib(2048));
  run.tick();
  CHECK(web() == mib(2048 - 400));
}

TEST_CASE("a domain that is paused in libvirt is in no trouble, one that crashed is") {
  LiveRun run;
  run.harness.hypervisor = FakeHypervisor({World()
                                               .host(8_GiB, free(4_GiB))
                                               .domain("db", state(DomainState::paused))
                                               .domain("web", state(DomainState::crashed))});
  const Json domains = run.tick().json("/v1/live").at("domains");
  CHECK(domains.at(0).at("state").string() == "paused");
  CHECK(domains.at(0).at("trouble").string().empty());
  CHECK(domains.at(1).at("trouble").string() == "crashed");
}

TEST_CASE("a run that stands still has a problem, in the live data and in the status") {
  LiveRun run;
  run.tick().later = 5s;
  CHECK(run.json("/v1/live").at("problems").size() == 0);
  run.later = 7s;
  const std::string problem = run.json("/v1/live").at("problems").at(0).string();
  CHECK(contains(problem, "No tick for 7 s: "));
  CHECK(contains(run.get("/v1/status", {{"as", "text"}}).body, "problems  No tick for 7 s"));
  const Json status = run.json("/v1/status").at("problems").at(0);
  CHECK(problem == status.at("text").string() + " (since 00:00:00)");
  CHECK(status.at("domain") == Json());
  run.context.interval = 2s;
  CHECK(run.json("/v1/live").at("problems").size() == 0);
}

TEST_CASE("a sample that fails is a problem, and the data of the last one stay") {
  LiveRun run;
  run.tick();
  run.harness.hypervisor.down = Error{ErrorCode::unavailable, "test:///", "is down", {}, {}};
  const Json live = run.tick().json("/v1/live");
  CHECK(live.at("problems").at(0).string() ==
        "No sample of the host: test:///: is down (since 00:00:01)");
  CHECK(live.at("tick").at("number").number() == 1);
  CHECK(live.at("domains").size() == 2);
  CHECK(contains(run.json("/v1/status").at("problems").at(0).at("since").string(), "2024-05-17"));
}

TEST_CASE("the history has the host in bytes and every domain in MiB") {
  LiveRun run;
  CHECK(run.json("/v1/history").at("times").size() == 0);
  const Json history = run.tick().json("/v1/history");
  CHECK(history.at("seconds_per_point").number() == 30);
  CHECK(history.at("times").size() == 1);
  CHECK(history.at("host").at("backed") == Json::array({mib(900 + 2048)}));
  CHECK(history.at("domains").size() == 2);
  CHECK(history.at("domains").at(id("db").text()).at("used") == Json::array({624}));
  run.context.history = nullptr;
  CHECK(run.get("/v1/history").status == 404);
}

TEST_CASE("a domain's history has its moves with their reasons") {
  LiveRun run;
  CHECK(run.get("/v1/history", {{"domain", "web"}}).status == 503);
  const Json history = run.tick().json("/v1/history", {{"domain", "web"}});
  CHECK(history.at("actual") == Json::array({mib(2048)}));
  CHECK(history.at("maximum") == Json::array({mib(65536)}));
  CHECK(history.at("rss") == Json::array({mib(2048)}));
  REQUIRE(history.at("moves").size() == 1);
  const Json move = history.at("moves").at(0);
  CHECK(move.at("dry_run") == Json(false));
  CHECK(move.at("from").number() == mib(2048));
  CHECK(move.at("to").number() == mib(1648));
  CHECK(move.at("text").string() ==
        "2 GiB -> 1.61 GiB (-400 MiB): why; gradual: takes 1 GiB of 800 MiB unused; one tick "
        "takes at most 400 MiB");
  CHECK(run.get("/v1/history", {{"domain", id("web").text()}}).body ==
        run.get("/v1/history", {{"domain", "web"}}).body);
  CHECK(run.get("/v1/history", {{"domain", "wbe"}}).status == 404);
}

TEST_CASE("the moves of a dry run keep their reasons and say that they were not made") {
  LiveRun run;
  run.harness.coordinator.set_dry_run(true);
  const Json moves = run.tick().json("/v1/history", {{"domain", "web"}}).at("moves");
  REQUIRE(moves.size() == 1);
  const Json move = moves.at(0);
  CHECK(move.at("dry_run") == Json(true));
  CHECK(contains(move.at("text").string(), " MiB): why"));
  CHECK_FALSE(contains(move.at("text").string(), "dry run"));
}

TEST_CASE("a guest's report that is missing is null in its history") {
  LiveRun run;
  run.harness.hypervisor =
      FakeHypervisor({World().host(8_GiB, free(4_GiB)).domain("db", no_report())});
  const Json history = run.tick().json("/v1/history", {{"domain", "db"}});
  CHECK(history.at("used") == Json::array({Json()}));
}

TEST_CASE("a guest fits now, after reclaiming, or not") {
  LiveRun run;
  CHECK(run.get("/v1/fit", {{"size", "4GiB"}}).status == 503);
  run.tick();
  const auto fit = [&](const char* size) { return run.json("/v1/fit", {{"size", size}}); };
  CHECK(fit("4GiB").at("fits").string() == "now");
  CHECK(fit("4GiB").at("size").number() == mib(4096));
  CHECK(fit("4GiB").at("needed").number() == mib(4096 + 62 + 8));
  CHECK(fit("6GiB").at("fits").string() == "after reclaiming");
  CHECK(contains(fit("6GiB").at("text").string(), "It fits within 1 s: "));
  CHECK(fit("7GiB").at("fits").string() == "no");
}

TEST_CASE("the answer to a guest that does not fit says what the host can give") {
  LiveRun run;
  const Json live = run.tick().json("/v1/live");
  const Json fit = run.json("/v1/fit", {{"size", "7GiB"}});
  CHECK_FALSE(fit.find("reclaimable"));
  const double most = fit.at("grantable").number() + fit.at("reclaimable_in_time").number();
  CHECK(fit.at("reclaimable_in_time").number() >= live.at("host").at("reclaimable").number());
  CHECK(fit.at("needed").number() > most);
  const auto size = MemorySize::from_kib(static_cast<std::uint64_t>(most) / 1024);
  CHECK(contains(fit.at("text").string(), "at most " + size.text() + " after some ticks."));
}

TEST_CASE("a question for a guest without a proper size is refused with a hint") {
  const LiveRun run;
  for (const char* size : {"", "4", "0", "0GiB", "-4GiB", "4 parsecs", "99999999TiB"}) {
    CAPTURE(size);
    const Response response = run.get("/v1/fit", {{"size", size}});
    CHECK(response.status == 400);
    const Json body = Json::parse(response.body).value();
    CHECK(contains(body.at("hint").string(), "GiB"));
    CHECK_FALSE(contains(response.body, "size="));
  }
  const auto error_of = [&](const char* size) {
    return Json::parse(run.get("/v1/fit", {{"size", size}}).body).value().at("error").string();
  };
  CHECK(error_of("4") == "'4' has no unit");
  CHECK(error_of("0") == "the size must be over 0");
}

TEST_CASE("another bundled policy is asked about the newest tick") {
  LiveRun run;
  CHECK(run.get("/v1/what-if", {{"policy", "band"}}).status == 503);
  run.tick();
  const Json answer = run.json("/v1/what-if", {{"policy", "band"}});
  CHECK(answer.at("policy").string() == "band");
  CHECK(answer.at("text").string() ==
        "On tick 1, band instead of fake would give another size to 2 of 2 domains. The policy "
        "band has observed only two ticks here. A policy that looks further back may decide "
        "otherwise after a while.");
  const Json db = answer.at("domains").at(0);
  CHECK(db.at("decided").string() == "It has enough memory and keeps its size.");
  CHECK(db.at("instead").string().starts_with("It shrinks by 200 MiB"));
  CHECK(db.at("from").number() == mib(1024));
  CHECK(db.at("decided_to").number() == mib(1024));
  CHECK(db.at("instead_to").number() == mib(824));
  CHECK(answer.at("domains").at(1).at("decided_to").number() == mib(1648));
  CHECK(answer.at("domains").at(1).at("instead_to").number() == mib(2048));
}

TEST_CASE("the policy that decides now is no other policy") {
  LiveRun run;
  run.context.policies = {"band", "fake"};
  run.tick();
  const Response response = run.get("/v1/what-if", {{"policy", "fake"}});
  CHECK(response.status == 409);
  CHECK(contains(response.body, "the policy fake decides now"));
  CHECK(run.loaded == 0);
}

TEST_CASE("in a dry run neither policy moves a domain") {
  LiveRun run;
  run.harness.coordinator.set_dry_run(true);
  const Json domains = run.tick().json("/v1/what-if", {{"policy", "band"}}).at("domains");
  CHECK(domains.at(1).at("decided").string().starts_with("It would shrink by 400 MiB (dry run)"));
  CHECK(domains.at(0).at("instead").string().starts_with("It would shrink by 200 MiB (dry run)"));
}

TEST_CASE("each policy is evaluated once a tick, however often it is asked for") {
  LiveRun run;
  run.tick();
  const auto ask = [&](const char* name) { return run.get("/v1/what-if", {{"policy", name}}); };
  const std::string first = ask("band").body;
  CHECK(ask("band").body == first);
  CHECK(run.loaded == 1);
  CHECK(ask("shares").body != first);
  CHECK(ask("broken").status == 409);
  CHECK(ask("broken").status == 409);
  CHECK(ask("band").body == first);
  CHECK(run.loaded == 3);
  run.tick();
  CHECK(ask("band").body != first);
  CHECK(run.loaded == 4);
}

TEST_CASE("only bundled policies are asked, by their names") {
  LiveRun run;
  run.tick();
  const auto ask = [&](const char* name) { return run.get("/v1/what-if", {{"policy", name}}); };
  CHECK(ask("").status == 400);
  for (const char* name : {"bnad", "./mine.lua", "/etc/passwd", "../policies/band.lua"}) {
    CHECK(ask(name).status == 404);
  }
  CHECK(contains(ask("bnad").body, "did you mean band?"));
  CHECK(run.loaded == 0);
}

TEST_CASE("a policy that fails on the tick is an error") {
  LiveRun run;
  run.tick();
  const Response response = run.get("/v1/what-if", {{"policy", "broken"}});
  CHECK(contains(response.body, "policy broken fails on this tick: broken.lua:3: broke"));
}
