#include "engine/core/decision.h"

#include <array>

namespace memcoord {
namespace {

constexpr std::array<std::string_view, kRuleCount> kRuleNames{
    "host_rescue",  "reserve",    "sane_target", "running_only", "fresh_stats",
    "no_progress",  "grace",      "maximum",     "minimum",      "gradual",
    "domain_floor", "numa_floor", "host_floor",  "share_out"};

}  // namespace

std::string_view to_text(Rule rule) {
  return kRuleNames.at(static_cast<std::size_t>(rule));
}

std::optional<Rule> rule_from_text(std::string_view text) {
  for (std::size_t i = 0; i < kRuleNames.size(); ++i) {
    if (kRuleNames.at(i) == text) return static_cast<Rule>(i);
  }
  return std::nullopt;
}

std::string_view to_text(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::applied:
      return "applied";
    case Outcome::Kind::dry_run:
      return "dry run";
    case Outcome::Kind::vanished:
      return "vanished";
    case Outcome::Kind::skipped:
      return "skipped";
    case Outcome::Kind::failed:
      return "failed";
    case Outcome::Kind::unknown:
      break;
  }
  return "unknown";
}

}  // namespace memcoord
