#pragma once
// A snapshot for a test, in one statement:
//
//   const Snapshot snapshot = World().host(8_GiB, free(4_GiB))
//                                    .domain("a", actual(512_MiB), unused(50_MiB));
//
// By default, a domain runs, its guest has just reported, the host backs all of its memory, and its
// maximum is 64 GiB.

#include <concepts>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/guard.h"
#include "engine/core/history.h"
#include "engine/core/policy.h"
#include "engine/core/snapshot.h"

namespace memcoord {

// So that a failing test shows what it compared.
std::ostream& operator<<(std::ostream& out, MemorySize size);
std::ostream& operator<<(std::ostream& out, const Decision& decision);

}  // namespace memcoord

namespace memcoord::test {

/// Sets one property of a domain.
using DomainSays = std::function<void(Domain&, DomainIdentity&)>;
/// Sets one property of the host.
using HostSays = std::function<void(Host&)>;

// Of a domain:
DomainSays actual(MemorySize size);
DomainSays maximum(MemorySize size);
DomainSays unused(MemorySize size);
DomainSays usable(MemorySize size);
DomainSays rss(MemorySize size);
DomainSays guest_total(MemorySize size);  ///< GuestStatistics::available
DomainSays state(DomainState state);
DomainSays minimum(MemorySize size);  ///< configured
DomainSays ceiling(MemorySize size);  ///< configured maximum
DomainSays weight(double weight);
DomainSays excluded();
DomainSays unsuitable(std::string why);
DomainSays backed_by(MemoryBacking backing);
DomainSays hard_limit(MemorySize size);  ///< of its cgroup
DomainSays silent();                     ///< its guest reports nothing
DomainSays reported_ago(Duration age);
DomainSays started_ago(Duration age);
DomainSays deflates_by_itself();
DomainSays free_page_reporting();
DomainSays bound_to(NodeSet nodes);                        ///< all of its memory
DomainSays cell_bound_to(NodeSet nodes, MemorySize size);  ///< one of its cells
DomainSays numbered(int id);                               ///< Domain::id, new at every start
DomainSays swapped(MemorySize in, MemorySize out);         ///< counters

// Of the host:
HostSays free(MemorySize size);
HostSays available(MemorySize size);
HostSays merged(MemorySize size);  ///< memory that KSM saves
HostSays swap_free(MemorySize size);
HostSays node(int id, MemorySize total, MemorySize free,
              std::optional<MemorySize> available = std::nullopt);

/// Builds a Snapshot.
class World {
 public:
  World();
  template <std::convertible_to<HostSays>... Says>
  World& host(MemorySize total, Says... says) {
    snapshot_.host.total = total;
    (HostSays(says)(snapshot_.host), ...);
    return *this;
  }
  template <std::convertible_to<DomainSays>... Says>
  World& domain(const std::string& name, Says... says) {
    add(name, {DomainSays(says)...});
    return *this;
  }
  /// Takes the snapshot this long after the world's beginning.
  World& at(Duration since_start);
  operator Snapshot() const;  // NOLINT(google-explicit-constructor): reads as a literal

 private:
  void add(const std::string& name, std::vector<DomainSays> says);

  Snapshot snapshot_;
  std::vector<std::pair<std::string, std::vector<DomainSays>>> domains_;
};

/// The UUID that a World gives to a domain of this name.
Uuid id(const std::string& name);

/// A snapshot that a history has observed, as in the coordinator before it decides.
class Observed {
 public:
  explicit Observed(Snapshot snapshot, Limits limits = {});
  Observed(std::vector<Snapshot> snapshots, Limits limits);

  [[nodiscard]] Situation situation() const;
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] History& history() { return history_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  /// The guard's decision on one proposal.
  [[nodiscard]] Decision decide(const std::string& name, MemorySize target) const;
  [[nodiscard]] std::vector<Decision> decide(
      const std::vector<std::pair<std::string, MemorySize>>& targets) const;
  /// Records a move right after the snapshot.
  Observed& moved(const std::string& name, MemorySize target,
                  Outcome::Kind kind = Outcome::Kind::applied);
  /// Observes the next snapshot.
  Observed& then(Snapshot snapshot);

 private:
  Snapshot snapshot_;
  Limits limits_;
  History history_;
};

/// The rules that limited the decision, in order.
std::vector<Rule> rules_of(const Decision& decision);

}  // namespace memcoord::test
