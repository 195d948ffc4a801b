#include "tests/lab/restless_policy.h"

#include <string_view>

#include "tests/lab/coordination.h"

namespace memcoord::lab {
namespace {

constexpr std::string_view kPolicy = R"(
return {
  api = 1,
  summary = "Move every domain to and fro",
  params = { work = { default = 0, doc = "turns of an empty loop" } },
  tick = function(ctx)
    local state = ctx.state
    state.asked = (state.asked or 0) + 1
    state.home = state.home or {}
    ctx.log.info("asked " .. state.asked)
    for _ = 1, ctx.params.work do end
    for _, d in ipairs(ctx.domains) do
      local home = state.home[d.uuid] or d.actual
      state.home[d.uuid] = home
      d:set(d.actual < home and home or home - 8 * MiB, "restless")
    end
  end,
}
)";

constexpr std::string_view kSays = ": asked ";

}  // namespace

std::string restless_policy(const LabHost& host) {
  return write_policy(host, "restless", std::string(kPolicy));
}

std::optional<int> times_asked(const Tick& tick) {
  for (const Note& note : tick.notes) {
    const std::size_t at = note.text.find(kSays);
    if (at != std::string::npos) return std::stoi(note.text.substr(at + kSays.size()));
  }
  return std::nullopt;
}

}  // namespace memcoord::lab
