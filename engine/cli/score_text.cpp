#include "engine/cli/score_text.h"

#include <fmt/core.h>

namespace memcoord::cli {

using workbench::Score;

std::string share_text(double share) {
  const double percent = share * 100.0;
  if (percent == 0) return "0";
  if (percent < 0.0001) return "<0.0001 %";
  if (percent < 0.1) return fmt::format("{:.4f} %", percent);
  return percent < 10 ? fmt::format("{:.2f} %", percent) : fmt::format("{:.1f} %", percent);
}

std::vector<TextTable::Column> score_columns() {
  constexpr auto kRight = TextTable::Align::right;
  return {{"STALLED", kRight},    {"DEFICIT GiBh", kRight}, {"OOM", kRight},
          {"HOST OOM", kRight},   {"BREACH s", kRight},     {"OVERHEAD", kRight},
          {"CHURN MiB/h", kRight}};
}

std::vector<std::string> score_cells(const Score& score) {
  return {share_text(score.stalled),
          score.deficit == 0 ? "0" : fmt::format("{:.4f}", score.deficit),
          fmt::format("{}", score.guest_oom),
          fmt::format("{}", score.host_oom),
          score.breach_seconds == 0 ? "0" : fmt::format("{:.1f}", score.breach_seconds),
          fmt::format("{:.0f} %", score.overhead * 100.0),
          fmt::format("{:.0f}", score.churn)};
}

observers::Json score_json(const Score& score) {
  return observers::Json::object({{"stalled", score.stalled},
                                  {"deficit_gib_hours", score.deficit},
                                  {"oom", score.guest_oom},
                                  {"host_oom", score.host_oom},
                                  {"breach_s", score.breach_seconds},
                                  {"overhead", score.overhead},
                                  {"churn_mib_h", score.churn},
                                  {"domain_s", score.domain_seconds}});
}

}  // namespace memcoord::cli
