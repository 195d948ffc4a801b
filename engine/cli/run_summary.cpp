#include "engine/cli/run_summary.h"

#include <fmt/core.h>

namespace memcoord::cli {
namespace {

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace

void RunSummary::observe(const Tick& tick) {
  ++ticks_;
  dry_run_ = tick.dry_run;
  if (tick.sample_error) ++sample_errors_;
  if (tick.policy_error) ++policy_errors_;
  if (!tick.sample_error && !tick.policy_error) ++worked_;
  for (const Outcome& outcome : tick.outcomes) count(outcome);
}

void RunSummary::count(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::failed) ++failed_moves_;
  if (outcome.kind != Outcome::Kind::applied && outcome.kind != Outcome::Kind::dry_run) return;
  ++moves_;
  if (outcome.to > outcome.from) {
    given_ += outcome.to - outcome.from;
    served_.insert(outcome.domain);
  } else {
    taken_ += outcome.from - outcome.to;
    shrunk_.insert(outcome.domain);
  }
}

std::string RunSummary::text() const {
  std::string text = counted(ticks_, "tick", "ticks") + ", ";
  if (dry_run_) text += "dry run: ";
  text += counted(moves_, "move", "moves");
  if (!served_.empty()) {
    text += fmt::format(", +{} to {}", given_.text(), counted(served_.size(), "domain", "domains"));
  }
  if (!shrunk_.empty()) {
    text +=
        fmt::format(", -{} from {}", taken_.text(), counted(shrunk_.size(), "domain", "domains"));
  }
  if (sample_errors_ + policy_errors_ + failed_moves_ == 0) return text + ", no errors";
  if (sample_errors_ > 0) text += fmt::format(", {} without a look at the host", sample_errors_);
  if (policy_errors_ > 0) text += ", " + counted(policy_errors_, "policy error", "policy errors");
  if (failed_moves_ > 0) text += ", " + counted(failed_moves_, "failed move", "failed moves");
  return text;
}

}  // namespace memcoord::cli
