// Any program over the functions that policies can reach: it ends within its limits.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

#include "bindings/lua_policy.h"
#include "tests/property/lua_programs.h"
#include "tests/world/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memcoord;
  using namespace memcoord::test;
  std::size_t at = 0;
  const std::string text =
      lua_program([&](unsigned bound) { return at < size ? data[at++] % bound : 0; });
  bindings::SandboxLimits limits;
  limits.time = std::chrono::milliseconds(20);
  const auto policy = bindings::LuaPolicy::load_text(text, "program.lua", {}, limits);
  if (!policy) std::abort();
  const Snapshot snapshot = World().host(8_GiB, free(4_GiB)).domain("a", actual(512_MiB));
  const Observed observed(snapshot);
  Situation situation = observed.situation();
  situation.tick = 1;
  const std::clock_t start = std::clock();
  const auto answer = (*policy)->decide(situation);
  if (!answer && answer.error().text().empty()) std::abort();
  // Ten times the usual 70 ms of processor time: sanitizers are slow.
  if (std::clock() - start > CLOCKS_PER_SEC * 7 / 10) std::abort();
  return 0;
}
