#include "engine/workbench/report/figures.h"

#include "engine/workbench/report/page_text.h"

namespace memcoord::workbench::report {
namespace {

std::string percent(double share) {
  if (share == 0) return "0 %";
  if (share < 0.0001) return "< 0.01 %";
  return number_text(share * 100, share < 0.1 ? 2 : 1) + " %";
}

std::string amount(double value, const char* unit) {
  if (value > 0 && value < 0.001) return std::string("< 0.001 ") + unit;
  return number_text(value, value < 1 ? 3 : value < 100 ? 2 : 0) + " " + unit;
}

}  // namespace

std::vector<Figure> figures_of(const Score& score) {
  const auto kills = [](int n) { return std::to_string(n); };
  return {
      {"stalled", "stalled", percent(score.stalled),
       "domain-time in which a guest's demand did not fit its memory", score.stalled,
       score.stalled > 0},
      {"deficit", "deficit", amount(score.deficit, "GiB h"), "how much memory was missing",
       score.deficit, false},
      {"guest_oom", "guest OOM kills", kills(score.guest_oom),
       "workloads that their guest's OOM killer ended", static_cast<double>(score.guest_oom),
       score.guest_oom > 0},
      {"host_oom", "host OOM kills", kills(score.host_oom), "times the host ran out of memory",
       static_cast<double>(score.host_oom), score.host_oom > 0},
      {"breach_s", "breach", amount(score.breach_seconds, "s"),
       "time that the host was under its floor", score.breach_seconds, score.breach_seconds > 0},
      {"overhead", "overhead", percent(score.overhead),
       "memory granted and not needed, as a share of the need", score.overhead, false},
      {"churn", "churn", amount(score.churn, "MiB/h"), "balloon moved, a domain and hour",
       score.churn, false},
  };
}

}  // namespace memcoord::workbench::report
