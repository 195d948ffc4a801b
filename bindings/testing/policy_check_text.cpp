#include "bindings/testing/policy_check_text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "bindings/testing/test_report.h"
#include "bindings/testing/tick_table.h"

namespace memcoord::bindings::testing {
namespace {

constexpr std::size_t kMostMoves = 4;
constexpr std::size_t kMostLogLines = 3;

class Printer {
 public:
  Printer(TextOut out, bool color) : out_(out), color_(color) {}

  void parameters(const PolicyInfo& info);
  void situation(const CheckedSituation& situation);
  void verdict(const PolicyCheck& check);
  void heading(const PolicyInfo& info);

 private:
  [[nodiscard]] Painted painted(Tint tint, std::string_view text) const {
    return {color_ ? tint : Tint::none, text};
  }
  void tick(const Tick& tick);

  TextOut out_;
  bool color_;
};

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string counted(std::size_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

void Printer::heading(const PolicyInfo& info) {
  out_ << painted(kBold, info.name) << ": " << info.summary << '\n'
       << painted(kFaint, info.path + ", policy API " + std::to_string(info.api)) << '\n'
       << '\n';
}

void Printer::parameters(const PolicyInfo& info) {
  if (info.parameters.empty()) {
    out_ << "no parameters" << '\n' << '\n';
    return;
  }
  std::size_t name = 0;
  std::size_t type = 0;
  std::size_t value = 0;
  for (const ParameterInfo& one : info.parameters) {
    name = std::max(name, one.name.size());
    type = std::max(type, one.type.size());
    value = std::max(value, one.value_text.size());
  }
  out_ << "parameters" << '\n';
  for (const ParameterInfo& one : info.parameters) {
    out_ << "  " << padded(one.name, name) << "  " << padded(one.type, type) << "  "
         << padded(one.value_text, value) << "  " << one.doc;
    for (std::size_t i = 0; i < one.choices.size(); ++i) {
      out_ << (i == 0 ? " (" : " | ") << one.choices[i];
    }
    if (!one.choices.empty()) out_ << ')';
    if (one.value_text != one.default_text) out_ << " [default " << one.default_text << ']';
    out_ << '\n';
  }
  out_ << '\n';
}

void Printer::tick(const Tick& tick) {
  std::vector<std::string> lines = tick_lines(tick);
  const std::size_t moves = std::max(tick.decisions.size(), lines.size());
  if (lines.size() > kMostMoves) lines.resize(kMostMoves);
  for (const std::string& line : lines) out_ << "    " << line << '\n';
  if (moves > lines.size()) {
    out_ << "    and " << moves - lines.size() << " more" << '\n';
  }
}

void Printer::situation(const CheckedSituation& situation) {
  const Error* error = situation.error();
  out_ << painted(error ? kRed : kGreen, error ? "FAIL" : "ok  ") << ' '
       << painted(kBold, situation.name) << ": " << situation.what << '\n';
  if (error) {
    out_ << "    " << error->text() << '\n';
    if (!error->detail.empty()) out_.lines(error->detail) << '\n';
    return;
  }
  // The first tick in which it does something shows what it does.
  const auto active = std::find_if(situation.ticks.begin(), situation.ticks.end(),
                                   [](const Tick& one) { return !one.proposals.empty(); });
  if (active == situation.ticks.end()) {
    out_ << painted(kFaint, "    proposes nothing") << '\n';
  } else {
    tick(*active);
    out_ << painted(kFaint, "    in " + counted(situation.ticks.size(), "tick", "ticks") + ": " +
                                counted(situation.proposals(), "proposal", "proposals") + ", " +
                                std::to_string(situation.held_back()) + " changed by the guard")
         << '\n';
  }
  const auto log = situation.log();
  for (std::size_t i = 0; i < std::min(log.size(), kMostLogLines); ++i) {
    out_ << "    log: " << log[i] << '\n';
  }
}

void Printer::verdict(const PolicyCheck& check) {
  const auto failed = static_cast<std::size_t>(
      std::count_if(check.situations.begin(), check.situations.end(),
                    [](const CheckedSituation& one) { return one.error() != nullptr; }));
  const std::string headroom = ", headroom " + std::string(to_text(check.headroom));
  out_ << '\n' << check.info.name << ": ";
  if (failed == 0) {
    out_ << painted(kGreen, "sound") << " in "
         << counted(check.situations.size(), "situation", "situations") << headroom << '\n';
  } else {
    out_ << painted(kRed, "fails") << " in " << failed << " of "
         << counted(check.situations.size(), "situation", "situations") << headroom << '\n';
  }
}

}  // namespace

void print_check(const PolicyCheck& check, bool color, TextOut out) {
  Printer printer(out, color);
  printer.heading(check.info);
  printer.parameters(check.info);
  for (const CheckedSituation& situation : check.situations) printer.situation(situation);
  printer.verdict(check);
}

}  // namespace memcoord::bindings::testing
