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
using DomainProperty = std::function<void(Domain&, DomainIdentity&)>;
/// Sets one property of the host.
using HostProperty = std::function<void(Host&)>;

// Of a domain:
DomainProperty actual(MemorySize size);
DomainProperty maximum(MemorySize size);
DomainProperty unused(MemorySize size);
DomainProperty usable(MemorySize size);
DomainProperty rss(MemorySize size);
DomainProperty guest_total(MemorySize size);  ///< GuestStatistics::available
DomainProperty state(DomainState state);
DomainProperty minimum(MemorySize size);  ///< configured
DomainProperty ceiling(MemorySize size);  ///< configured maximum
DomainProperty weight(double weight);
DomainProperty excluded();
DomainProperty unsuitable(std::string why);
DomainProperty backed_by(MemoryBacking backing);
DomainProperty hard_limit(MemorySize size);  ///< of its cgroup
DomainProperty no_report();                  ///< its guest reports nothing
DomainProperty reported_ago(Duration age);
DomainProperty started_ago(Duration age);
DomainProperty deflates_by_itself();
DomainProperty free_page_reporting();
DomainProperty bound_to(NodeSet nodes);                        ///< all of its memory
DomainProperty cell_bound_to(NodeSet nodes, MemorySize size);  ///< one of its cells
DomainProperty numbered(int id);                               ///< Domain::id, new at every start
DomainProperty swapped(MemorySize in, MemorySize out);         ///< counters

// Of the host:
HostProperty free(MemorySize size);
HostProperty available(MemorySize size);
HostProperty merged(MemorySize size);  ///< memory that KSM saves
HostProperty swap_free(MemorySize size);
HostProperty node(int id, MemorySize total, MemorySize free,
                  std::optional<MemorySize> available = std::nullopt);

/// Builds a Snapshot.
class World {
 public:
  World();
  template <std::convertible_to<HostProperty>... Properties>
  World& host(MemorySize total, Properties... properties) {
    snapshot_.host.total = total;
    (HostProperty(properties)(snapshot_.host), ...);
    return *this;
  }
  template <std::convertible_to<DomainProperty>... Properties>
  World& domain(const std::string& name, Properties... properties) {
    add(name, {DomainProperty(properties)...});
    return *this;
  }
  /// Takes the snapshot this long after the world's beginning.
  World& at(Duration since_start);
  operator Snapshot() const;  // NOLINT(google-explicit-constructor): reads as a literal

 private:
  void add(const std::string& name, std::vector<DomainProperty> properties);

  Snapshot snapshot_;
  std::vector<std::pair<std::string, std::vector<DomainProperty>>> domains_;
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
