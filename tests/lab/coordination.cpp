#include "tests/lab/coordination.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "engine/observers/journal.h"
#include "tests/text.h"

namespace memcoord::lab {
namespace {

bool grown(const Tick& tick, const Uuid& uuid) {
  return std::any_of(tick.outcomes.begin(), tick.outcomes.end(), [&](const Outcome& outcome) {
    return outcome.domain == uuid && outcome.kind == Outcome::Kind::applied &&
           outcome.to > outcome.from;
  });
}

bool starves(const Domain& domain, const Tick& tick) {
  return domain.state == DomainState::running && domain.guest.unused &&
         *domain.guest.unused < Limits::kDomainFloor && domain.actual < domain.maximum &&
         !tick.grantable.is_zero();
}

}  // namespace

Coordination::Coordination(const LabHost& host, const std::string& options, const std::string& name,
                           const std::string& binary)
    : journal_(host.folder() / (name + ".jsonl")),
      output_(host.folder() / (name + ".out")),
      errors_(host.folder() / (name + ".err")) {
  const std::string command = "exec " + (binary.empty() ? MEMCOORD_BINARY : binary) +
                              " --connect '" + host.uri() + "' --journal " + journal_.string() +
                              " " + options + " > " + output_.string() + " 2> " + errors_.string();
  process_ = std::make_unique<testing::Process>(std::vector<std::string>{"/bin/sh", "-c", command});
}

int Coordination::end() {
  process_->signal(SIGTERM);
  return process_->finish().exit_code;
}

void Coordination::kill() {
  process_->signal(SIGKILL);
  (void)process_->finish();
}

std::vector<Tick> Coordination::ticks() const {
  std::vector<Tick> ticks;
  auto reader = observers::JournalReader::open(journal_);
  while (reader) {
    auto tick = reader->next();
    if (!tick || !*tick) break;
    ticks.push_back(std::move(**tick));
  }
  return ticks;
}

bool Coordination::journal_is_whole() const {
  auto reader = observers::JournalReader::open(journal_);
  if (!reader) return false;
  for (;;) {
    const auto tick = reader->next();
    if (!tick) return false;
    if (!*tick) return !reader->cut_off();
  }
}

std::string Coordination::output() const {
  return testing::read_text(output_);
}

std::string Coordination::errors() const {
  return testing::read_text(errors_);
}

bool Coordination::wait_for_ticks(std::size_t n) const {
  for (int i = 0; i < 1200; ++i) {
    if (ticks().size() >= n) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

bool Coordination::wait_for_tick(const std::function<bool(const Tick&)>& wanted,
                                 std::size_t skip) const {
  for (int i = 0; i < 1200; ++i) {
    const std::vector<Tick> all = ticks();
    if (all.size() > skip &&
        std::any_of(all.begin() + static_cast<std::ptrdiff_t>(skip), all.end(), wanted)) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

std::vector<Tick> answered(std::vector<Tick> ticks) {
  std::erase_if(ticks, [](const Tick& tick) {
    return tick.sample_error && tick.sample_error->code == ErrorCode::timed_out;
  });
  return ticks;
}

const Domain* find_domain(const Tick& tick, const std::string& name) {
  const auto& domains = tick.snapshot.domains;
  const auto found = std::find_if(domains.begin(), domains.end(),
                                  [&](const Domain& domain) { return domain.name() == name; });
  return found == domains.end() ? nullptr : &*found;
}

bool serves(const Tick& tick, const std::string& name) {
  const Domain* domain = find_domain(tick, name);
  return domain != nullptr && domain->state == DomainState::running &&
         why_skipped(tick, name).empty();
}

std::string why_skipped(const Tick& tick, const std::string& name) {
  const Domain* domain = find_domain(tick, name);
  for (const SkippedDomain& skipped : tick.skipped) {
    if (domain != nullptr && skipped.domain == domain->uuid()) return skipped.why;
  }
  return {};
}

std::optional<Outcome> outcome_of(const Tick& tick, const std::string& name) {
  const Domain* domain = find_domain(tick, name);
  for (const Outcome& outcome : tick.outcomes) {
    if (domain != nullptr && outcome.domain == domain->uuid()) return outcome;
  }
  return std::nullopt;
}

std::string write_policy(const LabHost& host, const std::string& name, const std::string& text) {
  const std::filesystem::path path = host.folder() / (name + ".lua");
  std::ofstream(path) << text;
  return path.string();
}

int longest_wait(const std::vector<Tick>& ticks) {
  std::map<Uuid, int> waiting;
  int longest = 0;
  for (const Tick& tick : ticks) {
    for (const Domain& domain : tick.snapshot.domains) {
      const auto found = waiting.find(domain.uuid());
      if (grown(tick, domain.uuid()) || !starves(domain, tick)) {
        // It got memory, or needs none any more. Figures older than the last move say nothing about
        // need, but by then there was a move.
        if (found != waiting.end()) waiting.erase(found);
      } else if (found == waiting.end()) {
        waiting[domain.uuid()] = 0;
      } else {
        longest = std::max(longest, ++found->second);
      }
    }
  }
  return longest;
}

Moves moves_of(const std::vector<Tick>& ticks, const std::string& name) {
  Moves moves;
  for (const Tick& tick : ticks) {
    for (const Outcome& outcome : tick.outcomes) {
      const Domain* domain = tick.snapshot.find(outcome.domain);
      if (!domain || domain->name() != name || outcome.kind != Outcome::Kind::applied) continue;
      if (outcome.to > outcome.from) ++moves.grows;
      if (outcome.to < outcome.from) ++moves.shrinks;
    }
  }
  return moves;
}

}  // namespace memcoord::lab
