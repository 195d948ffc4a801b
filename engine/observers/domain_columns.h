#pragma once
// The domains of a tick as columns: which domains there are, and each one's figures.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/observers/column_nodes.h"

namespace memcoord::observers::columns {

inline constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

/// The domains of a block by their index, which is the order of their first appearance, and the
/// order in which the newest tick has them.
struct KnownDomains {
  std::vector<Domain> rows;  ///< the newest one of each
  std::vector<Uuid> uuids;
  std::unordered_map<Uuid, std::uint32_t> indices;
  std::vector<std::uint32_t> order;   ///< indices, in the order of the newest tick
  std::vector<std::uint32_t> places;  ///< by index: the place in `order`, or kNowhere

  std::uint32_t add(const Uuid& uuid) {
    const auto index = static_cast<std::uint32_t>(rows.size());
    rows.emplace_back();
    uuids.push_back(uuid);
    places.push_back(kNowhere);
    indices.try_emplace(uuid, index);
    return index;
  }
  void set_order(std::vector<std::uint32_t>& next) {
    if (next == order) return;
    for (const std::uint32_t index : order) places[index] = kNowhere;
    order.swap(next);
    for (std::uint32_t i = 0; i < order.size(); ++i) places[order[i]] = i;
  }
  /// Whether the newest tick has each of its domains once.
  [[nodiscard]] bool has_each_once() const {
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      if (places[order[i]] != i) return false;
    }
    return true;
  }
  /// The place in the newest tick, or kNowhere.
  [[nodiscard]] std::uint32_t place_of(const Uuid& uuid) const {
    const auto found = indices.find(uuid);
    return found == indices.end() ? kNowhere : places[found->second];
  }
};

/// Figures of a domain that usually change together. A guest's total follows its balloon, its
/// unused memory follows both, and its usable memory follows the unused. What is stored of them is
/// the rest: 3.0 of 6.7 bytes a domain and tick less where memcoord moves balloons every tick.
class LinkedFigures {
 public:
  explicit LinkedFigures(const Domain& last)
      : actual_(last.actual),
        available_(last.guest.available),
        unused_(last.guest.unused),
        usable_(last.guest.usable) {}

  /// Takes from each figure what is expected of its change.
  void take_expected(Domain& domain) const { shift(domain, changes_of(domain), true); }
  /// Gives it back, in a domain without it.
  void add_expected(Domain& domain) const {
    Changes changes = changes_of(domain);
    // The stored unused memory lacks the balloon's change.
    changes.unused = changes.unused + changes.actual;
    shift(domain, changes, false);
  }

 private:
  struct Changes {
    std::uint64_t actual = 0;
    std::uint64_t unused = 0;
  };
  [[nodiscard]] Changes changes_of(const Domain& domain) const {
    Changes changes{domain.actual.kib() - actual_.kib(), 0};
    if (unused_ && domain.guest.unused) {
      changes.unused = domain.guest.unused->kib() - unused_->kib();
    }
    return changes;
  }
  void shift(Domain& domain, const Changes& changes, bool down) const {
    const auto shift_one = [&](std::optional<MemorySize>& figure,
                               const std::optional<MemorySize>& last, std::uint64_t change) {
      if (!figure || !last) return;
      figure = MemorySize::from_kib(down ? figure->kib() - change : figure->kib() + change);
    };
    const bool both_unused = unused_ && domain.guest.unused;
    shift_one(domain.guest.available, available_, changes.actual);
    if (both_unused) shift_one(domain.guest.usable, usable_, changes.unused);
    shift_one(domain.guest.unused, unused_, changes.actual);
  }

  MemorySize actual_;
  std::optional<MemorySize> available_;
  std::optional<MemorySize> unused_;
  std::optional<MemorySize> usable_;
};

/// The domains of a tick.
class DomainRows {
 public:
  DomainRows(Block& block, const std::string& name)
      : count_(block, name + "#"),
        place_(block.add(name + ".place")),
        index_(block, name + ".index"),
        uuid_(block, name + ".new"),
        identity_changes_(block, name + ".identity"),
        identity_(block, name),
        row_(block, name) {}

  void write(Block& block, const std::vector<Domain>& list, KnownDomains& domains) {
    count_.write(block, list.size(), domains.order.size());
    next_.clear();
    std::uint32_t cursor = 0;
    for (const Domain& domain : list) {
      const std::uint32_t index = write_place(block, domain.uuid(), domains, cursor);
      Domain& last = domains.rows[index];
      write_identity(block, domain, last, domains.uuids[index]);
      Domain rest = domain;
      LinkedFigures(last).take_expected(rest);
      row_.write(block, rest, last);
      last = domain;
      next_.push_back(index);
    }
    if (!list.empty()) domains.set_order(next_);
  }

  void read(Block& block, std::vector<Domain>& list, KnownDomains& domains) {
    std::uint64_t size = domains.order.size();
    count_.read(block, size);
    if (!block.budget.take_items(size)) return;
    list.reserve(size);
    next_.clear();
    std::uint32_t cursor = 0;
    for (std::uint64_t i = 0; i < size && !block.budget.damaged; ++i) {
      const std::uint32_t index = read_place(block, domains, cursor);
      if (block.budget.damaged) return;
      Domain& row = domains.rows[index];
      read_identity(block, row, domains.uuids[index]);
      const LinkedFigures linked(row);
      row_.read(block, row);
      linked.add_expected(row);
      list.push_back(row);
      next_.push_back(index);
    }
    if (list.empty()) return;
    domains.set_order(next_);
    if (!domains.has_each_once()) block.budget.damaged = true;
  }

 private:
  // A place: 0 for a new domain, 1 for one that the last tick did not have, else the distance from
  // the expected place, and 2.
  std::uint32_t write_place(Block& block, const Uuid& uuid, KnownDomains& domains,
                            std::uint32_t& cursor) {
    const auto found = domains.indices.find(uuid);
    if (found == domains.indices.end()) {
      place_->push(kNewDomain);
      uuid_.write(block, uuid, {});
      return domains.add(uuid);
    }
    const std::uint32_t place = domains.places[found->second];
    if (place == kNowhere) {
      place_->push(kAbsent);
      index_.write(block, found->second, 0);
      return found->second;
    }
    // The usual place is stored as 0.
    const std::uint64_t distance = zigzag(std::uint64_t{place} - cursor);
    place_->push(distance == 0 ? 0 : distance + kAbsent);
    cursor = place + 1;
    return found->second;
  }

  std::uint32_t read_place(Block& block, KnownDomains& domains, std::uint32_t& cursor) {
    const std::uint64_t code = place_->next();
    if (code == kNewDomain) {
      Uuid uuid;
      uuid_.read(block, uuid);
      const bool is_new = !domains.indices.contains(uuid);
      if (is_new && domains.rows.size() < Budget::kMostItems) return domains.add(uuid);
    } else if (code == kAbsent) {
      std::uint64_t index = 0;
      index_.read(block, index);
      if (index < domains.rows.size()) return static_cast<std::uint32_t>(index);
    } else {
      const std::uint64_t place = cursor + unzigzag(code == 0 ? 0 : code - kAbsent);
      if (place < domains.order.size()) {
        cursor = static_cast<std::uint32_t>(place) + 1;
        return domains.order[place];
      }
    }
    block.budget.damaged = true;
    return 0;
  }

  void write_identity(Block& block, const Domain& domain, const Domain& last, const Uuid& uuid) {
    const bool same =
        last.identity && (last.identity == domain.identity || *last.identity == *domain.identity);
    identity_changes_.write(block, !same, false);
    if (same) return;
    identity_.write(block, *domain.identity, last_identity(last, uuid));
  }
  void read_identity(Block& block, Domain& row, const Uuid& uuid) {
    bool changes = false;
    identity_changes_.read(block, changes);
    if (!changes && row.identity) return;
    DomainIdentity identity = last_identity(row, uuid);
    if (changes) identity_.read(block, identity);
    if (identity.name.empty() || identity.uuid != uuid) block.budget.damaged = true;
    for (NodeBinding& binding : identity.bound_to)
      std::sort(binding.nodes.begin(), binding.nodes.end());
    row.identity = std::make_shared<const DomainIdentity>(std::move(identity));
  }
  static DomainIdentity last_identity(const Domain& last, const Uuid& uuid) {
    DomainIdentity identity;
    if (last.identity) identity = *last.identity;
    identity.uuid = uuid;
    return identity;
  }

  static constexpr std::uint64_t kNewDomain = 1;
  static constexpr std::uint64_t kAbsent = 2;

  Node<std::uint64_t> count_;
  Column* place_;
  Node<std::uint64_t> index_;
  Node<Uuid> uuid_;
  Node<bool> identity_changes_;
  Node<DomainIdentity> identity_;
  Node<Domain> row_;
  std::vector<std::uint32_t> next_;
};

}  // namespace memcoord::observers::columns
