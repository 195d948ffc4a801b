#include "bindings/lua_policy.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::bindings;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

const std::string kHead = "return { api = 1, summary = \"s\", ";

Error why_not(const std::string& source, const LuaPolicy::Settings& settings = {}) {
  const auto policy = LuaPolicy::load_text(source, "p.lua", settings);
  if (policy) FAIL("it loads");
  return policy.error();
}

Observed two_domains(Limits limits = {}) {
  return Observed(
      World()
          .host(8_GiB, free(4_GiB), available(5_GiB))
          .domain("a", actual(512_MiB), unused(50_MiB), usable(300_MiB), minimum(256_MiB))
          .domain("b", actual(2_GiB), unused(1800_MiB), weight(2)),
      limits);
}

/// Runs a tick function's body; its result is the reason with which it holds domain "a".
std::string said(const std::string& body, const Observed& observed = two_domains()) {
  const auto policy =
      LuaPolicy::load_text(kHead +
                               "tick = function(ctx) local a, b = ctx.domains[1], ctx.domains[2] "
                               "local function say(x) a:hold(tostring(x)) end " +
                               body + " end }",
                           "p.lua");
  if (!policy) FAIL(policy.error().text());
  const auto answer = (*policy)->decide(observed.situation());
  if (!answer) return answer.error().text();
  return answer->proposals.empty() ? "" : answer->proposals.front().why;
}

PolicyAnswer whole_answer(const std::string& body, const Observed& observed = two_domains()) {
  const auto policy = LuaPolicy::load_text(
      kHead + "tick = function(ctx) local a, b = ctx.domains[1], ctx.domains[2] " + body + " end }",
      "p.lua");
  if (!policy) FAIL(policy.error().text());
  auto answer = (*policy)->decide(observed.situation());
  if (!answer) FAIL(answer.error().text());
  return *std::move(answer);
}

/// What a policy asks for besides moves.
struct PolicyWishes {
  std::optional<Duration> again;
  std::vector<Uuid> refresh;
  bool operator==(const PolicyWishes&) const = default;
};

PolicyWishes answer_of(const std::string& body) {
  const PolicyAnswer answer = whole_answer(body);
  return {answer.again, answer.refresh};
}

MemorySize target_of(const std::string& body, const Observed& observed) {
  return whole_answer(body, observed).proposals.at(0).target;
}

}  // namespace

TEST_CASE("a file that is not a policy is refused in one line, which names what is missing") {
  const std::string tick = "tick = function() end }";
  CHECK(why_not("return {").object == "p.lua:1");
  CHECK(why_not("").text().find("p.lua: returns nothing where a table is expected") == 0);
  CHECK(why_not("return 5").message == "returns a number where a table is expected");
  CHECK(why_not("return { summary = 's', " + tick).message.find("does not name its policy API") !=
        std::string::npos);
  CHECK(why_not("return { api = 2, summary = 's', " + tick).message ==
        "is written for policy API 2");
  CHECK(why_not(kHead + "}").message == "has no tick function");
  CHECK(why_not(kHead + "tick = 5 }").message == "has no tick function");
  CHECK(why_not("return { api = 1, " + tick).message == "has no summary");
  CHECK(why_not(kHead + "parms = {}, " + tick).text() ==
        "p.lua: unknown key 'parms'; did you mean 'params'?");
  CHECK(why_not("error('no')").object == "p.lua:1");
  CHECK(why_not(kHead + "params = { x = { doc = 'd' } }, " + tick).message ==
        "parameter 'x' has no default");
  CHECK(why_not(kHead + "params = { x = { default = 1 } }, " + tick).message ==
        "parameter 'x' has no doc, a string");
  CHECK(why_not(kHead + "params = { x = 5 }, " + tick).message == "parameter 'x' is a number");
}

TEST_CASE("a missing policy file or a folder is refused") {
  CHECK(LuaPolicy::load("/nowhere.lua").error().text() == "/nowhere.lua: no such policy");
  CHECK(LuaPolicy::load("/").error().message == "is a folder");
}

TEST_CASE("parameters have the type of their default, and the values that the administrator sets") {
  const std::string source =
      kHead +
      "params = { size = { default = '150MiB', doc = 'd' }, n = { default = 3, doc = 'd' }, "
      "f = { default = 0.5, doc = 'd' }, on = { default = true, doc = 'd' }, "
      "mode = { default = 'x', choices = { 'x', 'y' }, doc = 'd' } }, "
      "tick = function(ctx) local p = ctx.params ctx.domains[1]:hold(table.concat("
      "{ p.size, p.n, p.f, tostring(p.on), p.mode }, ' ')) end }";
  const auto words = [&](const LuaPolicy::Settings& settings) {
    auto policy = LuaPolicy::load_text(source, "p.lua", settings);
    REQUIRE(policy.has_value());
    const Observed observed = two_domains();
    return (*policy)->decide(observed.situation())->proposals[0].why;
  };
  CHECK(words({}) == "153600 3 0.5 true x");
  CHECK(words({{"size", "0"}}) == "0 3 0.5 true x");
  CHECK(words({{"size", "1GiB"}, {"n", "7"}, {"f", "2"}, {"on", "false"}, {"mode", "y"}}) ==
        "1048576 7 2.0 false y");
  CHECK(why_not(source, {{"sise", "1GiB"}}).text() ==
        "--set sise: p.lua has no such parameter; did you mean 'size'?");
  CHECK(why_not(source, {{"size", "many"}}).text() ==
        "--set size: 'many' is not a size of memory; write a size as 512MiB, 1.5GiB or 150000KiB, "
        "or in powers of 1000 as 500MB");
  CHECK(why_not(source, {{"size", "512"}}).text() ==
        "--set size: '512' has no unit; did you mean 512MiB or 512GiB?");
  CHECK(why_not(source, {{"n", "1.5"}}).object == "--set n");
  CHECK(why_not(source, {{"on", "perhaps"}}).hint == "give true or false");
  CHECK(why_not(source, {{"mode", "z"}}).hint == "give one of x, y");
}

TEST_CASE("a default that is a malformed size is refused with its line") {
  const auto refused = [](const std::string& size) {
    return why_not(
        "-- threshold = none yet\nreturn { api = 1, summary = 's', params = {\n"
        "  step = { default = 1, doc = 'd' },\n  threshold = {\n    default = '" +
        size + "',\n    doc = 'd',\n  } }, tick = function() end }");
  };
  CHECK(refused("1,5GiB").object == "p.lua:5");
  CHECK(refused("1,5GiB").message ==
        "parameter 'threshold': its default '1,5GiB' is not a size of memory");
  CHECK(refused("-5MB").message.find("'-5MB' is negative") != std::string::npos);
  CHECK(refused("0.3KiB").message.find("not a whole number of KiB") != std::string::npos);
  CHECK(refused("150 Mi").hint.find("512MiB") != std::string::npos);
}

TEST_CASE("a default in powers of 1000 is a size, and other strings stay strings") {
  const auto type = [](const std::string& parameter) {
    const auto policy = LuaPolicy::load_text(
        kHead + "params = { x = { doc = 'd', " + parameter + " } }, tick = function() end }",
        "p.lua");
    if (!policy) FAIL(policy.error().text());
    return (*policy)->info().parameters.at(0).type;
  };
  CHECK(type("default = '500MB'") == "size");
  CHECK(type("default = '30s'") == "string");
  CHECK(type("default = '2024'") == "string");
  CHECK(type("default = '8 bits'") == "string");
  CHECK(type("default = '1gbs', choices = { '1gbs', '10gbs' }") == "string");
}

TEST_CASE("a policy reads the host and its domains in KiB") {
  CHECK(said("say(ctx.host.total // GiB)") == "8");
  CHECK(said("say(ctx.host.grantable // MiB)") == "4920");
  CHECK(said("say(ctx.host.headroom // GiB)") == "5");
  CHECK(said("say(ctx.host.floor // MiB)") == "200");
  CHECK(said("say(#ctx.domains)") == "2");
  CHECK(said("say(a.name .. b.name)") == "ab");
  CHECK(said("say(a.actual // MiB)") == "512");
  CHECK(said("say(a.usable // MiB)") == "300");
  CHECK(said("say(b.usable // MiB)") == "1800");
  CHECK(said("say(a.minimum // MiB)") == "256");
  CHECK(said("say(b.weight)") == "2.0");
  CHECK(said("say(math.type(a.headroom))") == "integer");
  CHECK(said("say(a.swap_in)") == "0.0");
  CHECK(said("say(glob('a*', a.name))") == "true");
}

TEST_CASE("a policy reads every limit that is in force") {
  CHECK(said("say(ctx.limits.domain_floor // MiB .. ' ' .. ctx.limits.usable_floor // MiB)") ==
        "100 32");
  CHECK(said("say(ctx.limits.host_floor // MiB .. ' ' .. ctx.limits.host_memory // GiB)") ==
        "200 8");
  CHECK(
      said("local l = ctx.limits say(l.max_reclaim .. ' ' .. l.overcommit .. ' ' .. l.headroom)") ==
      "0.5 1.0 larger");
  CHECK(said("local l = ctx.limits say(l.grace .. ' ' .. l.stale_after_periods .. ' ' .. "
             "l.stale_slack)") == "30.0 3 1.0");
  Limits limits;
  limits.domain_floor = 256_MiB;
  limits.host_floor = 1_GiB;
  limits.max_reclaim = 0.25;
  limits.headroom = Headroom::usable;
  limits.host_memory = 6_GiB;
  limits.overcommit = 1.5;
  limits.grace = 10s;
  const Observed observed = two_domains(limits);
  CHECK(said("local l = ctx.limits say(l.domain_floor // MiB .. ' ' .. l.host_floor // GiB .. ' ' "
             ".. l.host_memory // GiB)",
             observed) == "256 1 6");
  CHECK(said("local l = ctx.limits say(l.max_reclaim .. ' ' .. l.overcommit .. ' ' .. l.headroom "
             ".. ' ' .. l.grace)",
             observed) == "0.25 1.5 usable 10.0");
  CHECK(said("ctx.limits.domain_floor = 0", observed).find("ctx.limits") != std::string::npos);
  CHECK(said("local x = ctx.limits.domain_flor").find("did you mean 'domain_floor'?") !=
        std::string::npos);
}

TEST_CASE("a policy reads the time of the snapshot in whole seconds") {
  Snapshot snapshot = World().domain("a").domain("b");
  snapshot.wall_time = WallTime(1715904005s + 999ms);
  for (Domain& domain : snapshot.domains) domain.guest.last_update = snapshot.wall_time;
  CHECK(said("say(ctx.time .. ' ' .. math.type(ctx.time))", Observed(snapshot)) ==
        "1715904005 integer");
}

TEST_CASE("headroom and its history are the larger metric, or the chosen one") {
  CHECK(said("say(a.headroom // MiB)") == "300");
  CHECK(said("say(b.headroom // MiB)") == "1800");
  Limits limits;
  limits.headroom = Headroom::usable;
  CHECK(said("say(a.headroom // MiB)", two_domains(limits)) == "300");
  limits.headroom = Headroom::unused;
  CHECK(said("say(a.headroom // MiB)", two_domains(limits)) == "50");
  CHECK(said("say(ctx.host.grantable // MiB)", two_domains(limits)) == "3896");
  CHECK(said("say(ctx.host.headroom // GiB)", two_domains(limits)) == "4");
  // The guest has dropped its cache for more memory in use: first usable was larger, then unused.
  const std::string minimum =
      "say(a:min('headroom', 60) // MiB .. ' ' .. a:max('headroom', 60) // MiB)";
  const auto past = [](Limits by) {
    Observed observed({World().domain("a", unused(100_MiB), usable(700_MiB)).domain("b")}, by);
    observed.then(World().at(2s).domain("a", unused(300_MiB), usable(250_MiB)).domain("b"));
    return observed;
  };
  CHECK(said(minimum, past({})) == "300 700");
  CHECK(said(minimum, past(limits)) == "100 300");
}

TEST_CASE("domains are chosen by their figures") {
  CHECK(said("say(ctx.domains:min_by('headroom').name)") == "a");
  CHECK(said("say(ctx.domains:max_by('actual').name)") == "b");
  CHECK(said("say(ctx.domains:sum('actual') // MiB)") == "2560");
  CHECK(said("say(#ctx.domains:filter(function(d) return d.actual > 1*GiB end))") == "1");
  CHECK(said("local n = 0 for _, d in ipairs(ctx.domains) do n = n + 1 end say(n)") == "2");
  CHECK(said("say(ctx.domains[3])") == "nil");
}

TEST_CASE("statistics of the history cover the last seconds") {
  Observed observed(World().domain("a", unused(100_MiB)).domain("b"));
  observed.then(World().at(2s).domain("a", unused(200_MiB)).domain("b"));
  CHECK(said("say(a:avg('unused', 60) // MiB)", observed) == "150");
  CHECK(said("say(a:max('headroom', 60) // MiB)", observed) == "200");
  CHECK(said("say(a:min('unused', 0) // MiB)", observed) == "200");
  CHECK(said("say(a:quantile('unused', 0.5, 60) // MiB)", observed) == "150");
  CHECK(said("say(a:slope('unused', 60) // MiB)", observed) == "50.0");
}

TEST_CASE("a misspelt name is an error with its line and the nearest name") {
  CHECK(said("\nlocal x = a.unusd") == "p.lua:2: a domain has no 'unusd'; did you mean 'unused'?");
  CHECK(said("local x = ctx.domans").find("did you mean 'domains'?") != std::string::npos);
  CHECK(said("local x = ctx.host.fre").find("did you mean 'free'?") != std::string::npos);
  CHECK(said("a:avg('unusd', 5)").find("did you mean 'unused'?") != std::string::npos);
  CHECK(said("ctx.domains:min_bi('actual')").find("did you mean 'min_by'?") != std::string::npos);
  CHECK(said("ctx.domains:sum('name')").find("is not a number") != std::string::npos);
  CHECK(said("ctx.log.inform('x')").find("did you mean 'info'?") != std::string::npos);
}

TEST_CASE("ctx.again asks for an early tick, and the least of several calls counts") {
  CHECK(answer_of("") == PolicyWishes{});
  CHECK(answer_of("ctx.again(0.5)").again == 500ms);
  CHECK(answer_of("ctx:again(2) ctx.again(0.25) ctx.again(1)").again == 250ms);
  CHECK(answer_of("ctx.again(1e-300)").again == 1us);
  CHECK(answer_of("ctx.again(1e300)").again == 1'000'000'000s);
  CHECK(answer_of("ctx.again(math.huge)").again == 1'000'000'000s);
}

TEST_CASE("ctx.again refuses what is no time over 0, with the way to write it") {
  CHECK(said("ctx.again()") == "p.lua:1: expected seconds, not nothing; write ctx.again(0.5)");
  CHECK(said("ctx:again()") == "p.lua:1: expected seconds, not nothing; write ctx.again(0.5)");
  CHECK(said("ctx.again('1')") == "p.lua:1: expected seconds, not a string; write ctx.again(0.5)");
  for (const char* refused : {"0", "-1", "0/0", "-math.huge"}) {
    CAPTURE(refused);
    CHECK(said(std::string("ctx.again(") + refused + ")")
              .find("the next tick comes after a time over 0") != std::string::npos);
  }
}

TEST_CASE("ctx.every refuses what is no time over 0, and too many different times") {
  CHECK(said("ctx.every()") == "p.lua:1: expected seconds, not nothing; write ctx.every(1)");
  for (const char* refused : {"0", "-1", "0/0", "-math.huge"}) {
    CAPTURE(refused);
    CHECK(said(std::string("ctx.every(") + refused + ")")
              .find("a step comes once in a time over 0") != std::string::npos);
  }
  CHECK(said("for i = 1, 20 do ctx.every(i) end").empty());
  CHECK(said("for i = 1, 21 do ctx.every(i) end").find("knows 20 different times") !=
        std::string::npos);
}

TEST_CASE("d:refresh asks for a guest's report, once a tick and only in that tick") {
  CHECK(answer_of("b:refresh() a:refresh() b:refresh()").refresh ==
        std::vector<Uuid>{id("b"), id("a")});
  CHECK(said("a.refresh()").find("write d:method(...), with a colon") != std::string::npos);
}

TEST_CASE("d:grow adds to a grow that is in flight, and d:set replaces it") {
  Observed observed = two_domains();
  observed.moved("a", 1_GiB);
  observed.then(World().at(2s).host(8_GiB, free(4_GiB)).domain("a", actual(612_MiB)).domain("b"));
  CHECK(target_of("a:grow(10 * MiB)", observed) == 1_GiB + 10_MiB);
  CHECK(target_of("a:set(622 * MiB)", observed) == 622_MiB);
  CHECK(target_of("a:shrink(10 * MiB)", observed) == 602_MiB);
  CHECK(target_of("a:grow(10 * MiB)", two_domains()) == 522_MiB);
}

TEST_CASE("domains that cannot be moved are in ctx.skipped, with the reason") {
  const Observed observed(World().domain("a").domain("mute", no_report()));
  CHECK(said("say(#ctx.domains .. ' ' .. ctx.skipped[1].name .. ': ' .. ctx.skipped[1].why)",
             observed) == "1 mute: its guest reports no statistics");
}

TEST_CASE("ctx.state stays from tick to tick and over a reload, and ctx.log writes lines") {
  const std::string source =
      kHead +
      "tick = function(ctx) ctx.state.n = (ctx.state.n or 0) + 1 "
      "ctx.state.f = function() end ctx.log.info('n is ' .. ctx.state.n) end }";
  auto policy = LuaPolicy::load_text(source, "p.lua");
  REQUIRE(policy.has_value());
  const Observed observed = two_domains();
  (*policy)->decide(observed.situation());
  CHECK((*policy)->decide(observed.situation())->log[0].text == "n is 2");
  auto reloaded = LuaPolicy::load_text(source, "p.lua");
  REQUIRE((*reloaded)->adopt_state(**policy).has_value());
  CHECK((*reloaded)->decide(observed.situation())->log[0].text == "n is 3");
}

TEST_CASE("a state that cannot be copied is an error, and the new policy starts without it") {
  const auto tick = [](const std::string& body) {
    return kHead + "tick = function(ctx) " + body + " ctx.log.info(tostring(ctx.state.n)) end }";
  };
  const Observed observed = two_domains();
  const auto refusal = [&](const std::string& body) {
    const auto old = LuaPolicy::load_text(tick("ctx.state.n = 1 " + body), "p.lua");
    REQUIRE((*old)->decide(observed.situation()).has_value());
    const auto reloaded = LuaPolicy::load_text(tick(""), "p.lua");
    const Status adopted = (*reloaded)->adopt_state(**old);
    REQUIRE_FALSE(adopted.has_value());
    CHECK((*reloaded)->decide(observed.situation())->log[0].text == "nil");
    return adopted.error().message;
  };
  CHECK(refusal("ctx.state.self = ctx.state") == "ctx.state.self contains itself");
  CHECK(refusal("local a = { {} } a[1].back = a ctx.state.a = a") ==
        "ctx.state.a[1].back contains itself");
  CHECK(refusal("local t = {} ctx.state.t = t for i = 1, 60 do t.t = {} t = t.t end")
            .find("nested more than 50 deep") != std::string::npos);
  // 2^40 tables, by reference.
  CHECK(refusal("local t = {} for i = 1, 40 do t = { t, t } end ctx.state.t = t")
            .find("exceeded its") == 0);
}

TEST_CASE("ctx.state can be handed to another process as text") {
  const std::string keeps =
      "ctx.state.whole = { math.mininteger, 7, [40] = 'far' } ctx.state.number = 0.1 + 0.2 "
      "ctx.state.text = 'a\\0\\n\\\"\\\\\\xff' ctx.state.flag = true ctx.state.huge = -1 / 0 "
      "ctx.state['odd key'] = { deep = { deeper = {} } }";
  const std::string tells =
      "local s = ctx.state ctx.log.info(tostring(s.whole[1] == math.mininteger and "
      "math.type(s.whole[1]) == 'integer' and s.whole[40] == 'far' and s.number == 0.1 + 0.2 and "
      "s.text == 'a\\0\\n\\\"\\\\\\xff' and s.flag and s.huge == -math.huge and "
      "#s['odd key'].deep.deeper == 0))";
  const Observed observed = two_domains();
  const auto old =
      LuaPolicy::load_text(kHead + "tick = function(ctx) " + keeps + " end }", "p.lua");
  REQUIRE((*old)->decide(observed.situation()).has_value());
  const auto text = (*old)->state_text();
  REQUIRE(text.has_value());
  const auto next =
      LuaPolicy::load_text(kHead + "tick = function(ctx) " + tells + " end }", "p.lua");
  REQUIRE((*next)->adopt_state_text(*text).has_value());
  CHECK((*next)->decide(observed.situation())->log[0].text == "true");
  CHECK_FALSE((*next)->adopt_state_text("return 1").has_value());
}

TEST_CASE("an error names file, line and traceback") {
  const auto policy = LuaPolicy::load_text(
      kHead +
          "tick = function(ctx)\n  local function inner() error('broken') end\n  inner()\nend }",
      "p.lua");
  const Observed observed = two_domains();
  const auto answer = (*policy)->decide(observed.situation());
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().text() == "p.lua:2: broken");
  CHECK(answer.error().detail.find("p.lua:3") != std::string::npos);
}

TEST_CASE("a policy reads the nodes, their grantable memory, and the balloon's options") {
  const Observed observed(
      World()
          .host(16_GiB, free(8_GiB), node(0, 8_GiB, 1_GiB), node(1, 8_GiB, 7_GiB, 7_GiB + 512_MiB))
          .domain("a", bound_to({0}), deflates_by_itself())
          .domain("b", free_page_reporting()));
  CHECK(said("say(#a.nodes .. ' ' .. a.nodes[1] .. ' ' .. #b.nodes)", observed) == "1 0 0");
  CHECK(said("say(a.grantable // MiB)", observed) == "924");
  CHECK(said("say(b.grantable == ctx.host.grantable)", observed) == "true");
  CHECK(said("say(ctx.domains:min_by('grantable').name)", observed) == "a");
  CHECK(said("say(ctx.host.cells[2].available // MiB)", observed) == "7680");
  CHECK(said("say(tostring(a.deflates_by_itself) .. tostring(a.free_page_reporting))", observed) ==
        "truefalse");
  CHECK(said("say(tostring(b.deflates_by_itself) .. tostring(b.free_page_reporting))", observed) ==
        "falsetrue");
  CHECK(said("ctx.domains:sum('nodes')", observed).find("'nodes' is not a number") !=
        std::string::npos);
}
