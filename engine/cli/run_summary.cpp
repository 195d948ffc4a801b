#include "engine/cli/run_summary.h"

#include <fmt/core.h>

#include <algorithm>

namespace memcoord::cli {
namespace {

constexpr std::size_t kRemembered = 16;

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace

void RunSummary::Counted::forget_the_gone(const Snapshot& snapshot) {
  // Now and then, so that a domain that is merely started again counts once.
  if (known.size() <= snapshot.domains.size() * 2 + kRemembered) return;
  std::unordered_set<Uuid> there;
  for (const Domain& domain : snapshot.domains) there.insert(domain.uuid());
  gone += std::erase_if(known, [&](const Uuid& uuid) { return !there.contains(uuid); });
}

void RunSummary::observe(const Tick& tick) {
  if (tick.restoring) return;
  ++ticks_;
  dry_run_ = tick.dry_run;
  units_ = tick.limits.units;
  if (tick.sample_error) ++sample_errors_;
  if (tick.policy_error) ++policy_errors_;
  if (!tick.sample_error && !tick.policy_error) ++worked_;
  for (const Outcome& outcome : tick.outcomes) count(outcome);
  for (const Outcome& outcome : tick.late_outcomes) {
    --unanswered_moves_;
    count(outcome);
  }
  if (tick.sample_error) return;
  served_.forget_the_gone(tick.snapshot);
  shrunk_.forget_the_gone(tick.snapshot);
}

void RunSummary::count(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::failed) ++failed_moves_;
  if (outcome.kind == Outcome::Kind::unknown) ++unanswered_moves_;
  if (outcome.kind != Outcome::Kind::applied && outcome.kind != Outcome::Kind::dry_run) return;
  ++moves_;
  if (outcome.to > outcome.from) {
    given_ += outcome.to - outcome.from;
    served_.known.insert(outcome.domain);
  } else {
    taken_ += outcome.from - outcome.to;
    shrunk_.known.insert(outcome.domain);
  }
}

std::string RunSummary::text() const {
  std::string text = counted(ticks_, "tick", "ticks") + ", ";
  if (dry_run_) text += "dry run: ";
  text += counted(moves_, "move", "moves");
  if (served_.all() > 0) {
    text += fmt::format(", +{} to {}", given_.text(units_),
                        counted(served_.all(), "domain", "domains"));
  }
  if (shrunk_.all() > 0) {
    text += fmt::format(", -{} from {}", taken_.text(units_),
                        counted(shrunk_.all(), "domain", "domains"));
  }
  const auto unanswered = static_cast<std::uint64_t>(std::max<std::int64_t>(unanswered_moves_, 0));
  if (sample_errors_ + policy_errors_ + failed_moves_ + unanswered == 0) {
    return text + ", no errors";
  }
  if (sample_errors_ > 0) text += fmt::format(", {} without a look at the host", sample_errors_);
  if (policy_errors_ > 0) text += ", " + counted(policy_errors_, "policy error", "policy errors");
  if (unanswered > 0) text += ", " + counted(unanswered, "unanswered move", "unanswered moves");
  if (failed_moves_ > 0) text += ", " + counted(failed_moves_, "failed move", "failed moves");
  return text;
}

}  // namespace memcoord::cli
