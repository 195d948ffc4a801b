// The sandbox against random programs: each costs its own tick, within its limits, and the next
// tick succeeds.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>

#include "bindings/lua_policy.h"
#include "tests/property/lua_programs.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;

namespace {

/// The time of this thread: a machine under load changes nothing.
std::chrono::nanoseconds processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::size_t most_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

const Observed& program_world() {
  static const Observed observed(World()
                                     .host(8_GiB, free(4_GiB))
                                     .domain("a", actual(512_MiB), unused(50_MiB))
                                     .domain("b", actual(2_GiB), unused(1800_MiB)));
  return observed;
}

struct ProgramRun {
  std::string problem;
  std::chrono::nanoseconds took{};
  bool ended_at_limit = false;
};

ProgramRun run_program(const std::string& text) {
  ProgramRun run;
  bindings::SandboxLimits limits;
  limits.time = std::chrono::milliseconds(20);
  auto policy = bindings::LuaPolicy::load_text(text, "program.lua", {}, limits);
  if (!policy) {
    // A generator of programs that do not load would test nothing.
    run.problem = "does not load: " + policy.error().text();
    return run;
  }
  Situation situation = program_world().situation();
  situation.tick = 1;
  const auto start = processor_time();
  const auto answer = (*policy)->decide(situation);
  run.took = processor_time() - start;
  run.ended_at_limit = !answer && answer.error().code == ErrorCode::limit_exceeded;
  if (!answer && answer.error().text().empty()) run.problem = "fails without a message";
  const auto bound = (limits.time + std::chrono::milliseconds(50)) * MEMCOORD_SLOWNESS;
  if (run.took > bound) run.problem = "overruns its tick";
  situation.tick = 2;
  // On a machine under load even a tick that does nothing can take 20 ms.
  bool served = false;
  for (int tries = 0; tries < 50 && !served; ++tries) {
    served = (*policy)->decide(situation).has_value();
  }
  if (!served) run.problem = "the next tick fails";
  return run;
}

}  // namespace

TEST_CASE("random programs cost their own tick, within its limits") {
  const char* named = std::getenv("MEMCOORD_LUA_PROGRAMS");
  const long programs = named ? std::atol(named) : MEMCOORD_LUA_PROGRAMS;
  const char* first = std::getenv("MEMCOORD_LUA_FIRST");
  long at_limit = 0;
  std::chrono::nanoseconds longest{};
  for (long i = 0; i < programs; ++i) {
    const long seed = i + (first ? std::atol(first) : 1);
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    const std::string text = lua_program([&](unsigned bound) { return random() % bound; });
    const ProgramRun run = run_program(text);
    CHECK_MESSAGE(run.problem.empty(), "MEMCOORD_LUA_FIRST=" << seed << ": " << run.problem << " ("
                                                             << run.took.count() / 1000 << " us)\n"
                                                             << text);
    longest = std::max(longest, run.took);
    if (run.ended_at_limit) ++at_limit;
  }
  MESSAGE(programs << " programs, " << at_limit << " of them ended at a limit, the longest took "
                   << longest.count() / 1'000'000 << " ms");
  // The generator's programs reach the limits.
  CHECK(at_limit > programs / 20);
  if (MEMCOORD_SLOWNESS == 1) CHECK(most_memory_kib() < 400 * 1024);
}
