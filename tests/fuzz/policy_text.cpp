// Any text as a policy: loads or is an error, and then proposes or fails, within its limits.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "bindings/lua_policy.h"
#include "engine/core/guard.h"
#include "tests/world/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memcoord;
  using namespace memcoord::test;
  bindings::SandboxLimits limits;
  limits.instructions = 200'000;
  limits.memory_bytes = std::size_t{8} << 20U;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto policy = bindings::LuaPolicy::load_text(text, "fuzz.lua", {}, limits);
  if (!policy) {
    if (policy.error().text().empty()) std::abort();
    return 0;
  }
  const Snapshot snapshot = World()
                                .host(8_GiB, free(4_GiB))
                                .domain("a", actual(512_MiB), unused(50_MiB))
                                .domain("b", actual(2_GiB), unused(1800_MiB));
  const Observed observed(snapshot);
  for (int tick = 1; tick <= 2; ++tick) {
    const auto answer = (*policy)->decide(observed.situation());
    if (!answer && answer.error().text().empty()) std::abort();
  }
  return 0;
}
