#pragma once
// Events of domains, found in ticks: moves, shortages, limits, kills, skipped domains, errors. The
// control socket serves the newest; a journal yields the same events again.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/tick.h"
#include "engine/observers/guest_signs.h"
#include "engine/observers/json.h"
#include "engine/observers/shortage_episodes.h"

namespace memcoord::observers {

struct Event {
  enum class Kind {
    moved,
    would_move,  ///< in a dry run, which moves nothing
    not_moved,
    short_of_memory,
    enough_memory,  ///< after a shortage
    skipped,
    eligible,  ///< after it was skipped
    note,
    error,
    limited,        ///< a rule of the guard limits or refuses its moves
    killed,         ///< its OOM killer ended a process; only a simulated host knows
    likely_killed,  ///< the guest's counters suggest that (guest_signs.h)
    crashed,        ///< QEMU or the guest's kernel
    hung,           ///< its monitor does not answer
    started,        ///< on this host, after the first tick
    restarted,      ///< or rebooted
    stopped,        ///< on this host
  };
  WallTime time{};
  Kind kind = Kind::note;
  std::string domain;      ///< its name; empty for an event of the host or the run
  std::string text;        ///< one clause
  MemorySize change = {};  ///< of a move, in either direction; what a rule took from a move
  Duration lasted = {};    ///< enough_memory: how long the shortage lasted
};
inline constexpr std::size_t kEventKindCount = 17;
/// "moved", "short", "killed?".
std::string_view to_text(Event::Kind kind);

/// Finds the events of ticks, which it gets in order. A state that lasts makes two events: when it
/// begins and when it ends.
class EventFinder {
 public:
  /// The tick's events. A tick whose sample failed ends no state.
  std::vector<Event> events_of(const Tick& tick);
  /// The number of domains whose state is kept.
  [[nodiscard]] std::size_t remembered() const { return states_.size(); }
  /// Since when the domain is short of memory.
  [[nodiscard]] std::optional<MonotonicTime> short_since(const Uuid& domain) const {
    return shortages_.short_since(domain);
  }

 private:
  struct State {
    std::shared_ptr<const DomainIdentity> identity;
    int id = 0;           ///< Domain::id
    std::string skipped;  ///< the reason; empty while the domain is eligible
    std::string failure;  ///< of the last move
    DomainState is = DomainState::running;
    GuestSigns signs;
    std::array<WallTime, kRuleCount> limited_at{};  ///< by each rule, the last time
    std::uint64_t turn = 0;
  };
  /// A rule that limits a domain again within this time makes no new event.
  static constexpr WallTime::duration kSameLimit = std::chrono::minutes(1);
  [[nodiscard]] Event event(Event::Kind kind, std::string domain, std::string text) const {
    return {time_, kind, std::move(domain), std::move(text)};
  }
  void add_run(const Tick& tick, std::vector<Event>& events);
  void add_errors(const Tick& tick, std::vector<Event>& events);
  void add_states(const Tick& tick, std::vector<Event>& events);
  void add_lifetime(const Tick& tick, const Domain& domain, State& state,
                    std::vector<Event>& events) const;
  void add_eligibility(const Domain& domain, State& state, const SkippedDomain* skipped,
                       std::vector<Event>& events) const;
  void add_stopped(const Tick& tick, std::vector<Event>& events);
  void add_limits(const Tick& tick, std::vector<Event>& events);
  void add_shortages(const Tick& tick, std::vector<Event>& events);
  void add_moves(const Tick& tick, std::vector<Event>& events);
  void add_outcome(const Tick& tick, const Outcome& first, const Outcome& last,
                   const Decision* decision, std::vector<Event>& events);

  WallTime time_{};           ///< of the last tick whose time is known
  std::uint64_t turn_ = 0;    ///< counts ticks: the numbers in a journal of several runs begin anew
  std::uint64_t number_ = 0;  ///< Tick::number of the last tick
  std::unordered_map<Uuid, State> states_;
  ShortageFinder shortages_;
  std::string last_error_;
};

/// {"time": "2026-01-31T10:15:02.000Z", "domain": "web", "kind": "moved", "text": ...}; the domain
/// is null in an event of the host or the run.
Json event_json(const Event& event);
/// "10:15:02", or with the date "2026-01-31 10:15:02".
std::string time_text(WallTime time, bool local, bool with_date);
/// "10:15:02", with the date unless that is the day of `now`.
std::string brief_time_text(WallTime time, WallTime now, bool local);
/// Lines as "2026-01-31 10:15:02  web  moved  512 MiB -> 640 MiB (+128 MiB): fed by db", in
/// columns.
std::vector<std::string> lines_of(const std::vector<Event>& events, bool local_time);

}  // namespace memcoord::observers
