#include "engine/observers/tick_columns.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace memcoord::observers {
namespace {

using columns::Block;
using columns::Budget;
using columns::Column;
using columns::Node;
using columns::unzigzag;
using columns::zigzag;

constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

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
  /// The place in the newest tick, or kNowhere.
  [[nodiscard]] std::uint32_t place_of(const Uuid& uuid) const {
    const auto found = indices.find(uuid);
    return found == indices.end() ? kNowhere : places[found->second];
  }
};

/// What is known of a tick before its lists about domains are coded: the predictions follow from
/// it.
struct Known {
  KnownDomains domains;
  Duration since_last{};                        ///< the time from the last tick to this one
  std::vector<const Proposal*> proposals = {};  ///< of this tick, by the domain's place
  std::vector<const Decision*> decisions = {};
};

/// Changes a record's last value into what this tick's value probably is.
void predict(auto&, std::uint32_t, const Known&) {}
void predict(Decision& decision, std::uint32_t place, const Known& known) {
  decision.actual = known.domains.rows[known.domains.order[place]].actual;
  const Proposal* proposal = known.proposals[place];
  if (proposal == nullptr) return;
  decision.proposed = proposal->target;
  decision.target = proposal->target;
  decision.why = proposal->why;
}
void predict(Outcome& outcome, std::uint32_t place, const Known& known) {
  constexpr MonotonicTime kLatest{Duration(columns::kMaxMicroseconds)};
  constexpr MonotonicTime kEarliest{Duration(-columns::kMaxMicroseconds)};
  outcome.at = std::clamp(outcome.at + known.since_last, kEarliest, kLatest);
  const Decision* decision = known.decisions[place];
  if (decision == nullptr) return;
  outcome.from = decision->actual;
  outcome.to = decision->target;
}

/// Tells the predictions of later lists about a record.
void remember(const auto&, std::uint32_t, Known&) {}
void remember(const Proposal& proposal, std::uint32_t place, Known& known) {
  known.proposals[place] = &proposal;
}
void remember(const Decision& decision, std::uint32_t place, Known& known) {
  known.decisions[place] = &decision;
}

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

  void write(Block& block, const std::vector<Domain>& list, Known& known) {
    KnownDomains& domains = known.domains;
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

  void read(Block& block, std::vector<Domain>& list, Known& known) {
    KnownDomains& domains = known.domains;
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
    if (!list.empty()) domains.set_order(next_);
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
      if (domains.rows.size() < Budget::kMostItems) return domains.add(uuid);
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

/// A tick's list of records about domains.
template <class Record>
class AboutDomains {
 public:
  AboutDomains(Block& block, const std::string& name)
      : count_(block, name + "#"), place_(block.add(name + ".place")), record_(block, name) {}

  void write(Block& block, const std::vector<Record>& list, Known& known) {
    count_.write(block, list.size(), last_size_);
    last_size_ = list.size();
    last_.resize(known.domains.rows.size());
    std::uint32_t cursor = 0;
    for (const Record& record : list) {
      const std::uint32_t place = known.domains.place_of(record.domain);
      if (place == kNowhere) {
        place_->push(kUnknown);
        record_.write(block, record, Record{});
        continue;
      }
      const std::uint64_t distance = zigzag(std::uint64_t{place} - cursor);
      place_->push(distance == 0 ? 0 : distance + kUnknown);
      cursor = place + 1;
      Record& last = predicted(place, known);
      record_.write(block, record, last);
      last = record;
      remember(record, place, known);
    }
  }

  void read(Block& block, std::vector<Record>& list, Known& known) {
    std::uint64_t size = last_size_;
    count_.read(block, size);
    if (!block.budget.take_items(size)) return;
    last_size_ = size;
    last_.resize(known.domains.rows.size());
    // remember() keeps addresses of the items.
    list.reserve(size);
    std::uint32_t cursor = 0;
    for (std::uint64_t i = 0; i < size && !block.budget.damaged; ++i) {
      const std::uint64_t code = place_->next();
      if (code == kUnknown) {
        record_.read(block, list.emplace_back());
        continue;
      }
      const std::uint64_t place = cursor + unzigzag(code == 0 ? 0 : code - kUnknown);
      if (place >= known.domains.order.size()) {
        block.budget.damaged = true;
        return;
      }
      cursor = static_cast<std::uint32_t>(place) + 1;
      Record& last = predicted(cursor - 1, known);
      record_.read(block, last);
      list.push_back(last);
      remember(list.back(), cursor - 1, known);
    }
  }

 private:
  Record& predicted(std::uint32_t place, const Known& known) {
    const std::uint32_t index = known.domains.order[place];
    Record& last = last_[index];
    last.domain = known.domains.uuids[index];
    predict(last, place, known);
    return last;
  }

  static constexpr std::uint64_t kUnknown = 1;

  Node<std::uint64_t> count_;
  Column* place_;
  Node<Record> record_;
  std::vector<Record> last_;  ///< of each domain, by its index
  std::uint64_t last_size_ = 0;
};

template <class Member>
struct PartOf {
  using Type = Node<Member>;
};
template <class Record>
requires fields::kHasDomainName<Record>
struct PartOf<std::vector<Record>> {
  using Type = AboutDomains<Record>;
};
template <>
struct PartOf<std::vector<Domain>> {
  using Type = DomainRows;
};
template <class Member>
constexpr bool kIsNode = std::is_same_v<typename PartOf<Member>::Type, Node<Member>>;
template <class Member>
constexpr bool kIsVector = false;
template <class Item>
constexpr bool kIsVector<std::vector<Item>> = true;

template <class Entries>
struct PartsOf;
template <class... Entries>
struct PartsOf<std::tuple<Entries...>> {
  using Type = std::tuple<typename PartOf<typename Entries::Type>::Type...>;
};

/// The columns of a tick or its snapshot, whose lists are not predicted by their places.
template <class Record>
struct RecordParts {
  using Parts = typename PartsOf<std::remove_cvref_t<decltype(fields::kList<Record>)>>::Type;
  static constexpr std::size_t kCount = std::tuple_size_v<Parts>;

  explicit RecordParts(Block& block) : parts(make(block)) {}

  /// Calls `visit` with each field's part and member.
  template <class Visit>
  void each(Visit visit) {
    visit_each(visit, std::make_index_sequence<kCount>{});
  }
  Parts parts;

 private:
  template <class Entry>
  static auto make_part(Block& block, const Entry& entry) {
    using Member = typename Entry::Type;
    const std::size_t first = block.columns.size();
    typename PartOf<Member>::Type part(block, std::string(entry.name));
    for (std::size_t i = first; i < block.columns.size(); ++i) {
      block.columns[i]->of_figures = !kIsVector<Member> || std::is_same_v<Record, Snapshot>;
    }
    return part;
  }
  static Parts make(Block& block) {
    return std::apply([&](const auto&... entries) { return Parts{make_part(block, entries)...}; },
                      fields::kList<Record>);
  }
  template <class Visit, std::size_t... kPlaces>
  void visit_each(Visit& visit, std::index_sequence<kPlaces...>) {
    (visit(std::get<kPlaces>(parts), std::get<kPlaces>(fields::kList<Record>).member), ...);
  }
};

template <class Record, class Member>
Member member_type(Member Record::*);

}  // namespace

class TickColumns::Coder {
 public:
  void write(const Tick& tick) {
    begin();
    write_parts(snapshot_, tick.snapshot, last_.snapshot);
    begin_lists(tick.snapshot);
    write_parts(tick_, tick, last_);
  }

  bool read(Tick& tick, TickParts parts) {
    block.budget.items = block.budget.text = 0;
    begin();
    read_parts(snapshot_, tick.snapshot, last_.snapshot, TickParts::all);
    // What is as predicted was not checked.
    MonotonicTime at;
    WallTime wall;
    if (!columns::set_from_bits(at, columns::bits_of(tick.snapshot.taken_at)) ||
        !columns::set_from_bits(wall, columns::bits_of(tick.snapshot.wall_time))) {
      return false;
    }
    begin_lists(tick.snapshot);
    read_parts(tick_, tick, last_, parts);
    const int periods = tick.limits.stale_after_periods;
    bool fine = !block.budget.damaged && periods >= 0 && periods <= 100;
    for (const auto& column : block.columns) fine = fine && !column->ran_out;
    return fine;
  }

  Block block;

 private:
  /// Predicts the times and the number.
  void begin() {
    ++last_.number;
    last_.snapshot.taken_at += step_;
    last_.snapshot.wall_time += wall_step_;
  }
  /// Once the times are known.
  void begin_lists(const Snapshot& snapshot) {
    step_ = snapshot.taken_at - last_at_;
    wall_step_ = snapshot.wall_time - last_wall_;
    last_at_ = snapshot.taken_at;
    last_wall_ = snapshot.wall_time;
    known_.since_last = step_;
    known_.proposals.assign(known_.domains.order.size(), nullptr);
    known_.decisions.assign(known_.domains.order.size(), nullptr);
  }

  template <class Record>
  void write_parts(RecordParts<Record>& record, const Record& value, Record& last) {
    record.each([&](auto& part, auto member) {
      using Member = decltype(member_type(member));
      if constexpr (!kIsNode<Member>) {
        part.write(block, value.*member, known_);
      } else if constexpr (kIsVector<Member>) {
        part.write(block, value.*member, {});
      } else {
        part.write(block, value.*member, last.*member);
        last.*member = value.*member;
      }
    });
  }
  template <class Record>
  void read_parts(RecordParts<Record>& record, Record& value, Record& last, TickParts parts) {
    record.each([&](auto& part, auto member) {
      using Member = decltype(member_type(member));
      if (kIsVector<Member> && parts == TickParts::figures) return;
      if constexpr (!kIsNode<Member>) {
        part.read(block, value.*member, known_);
      } else if constexpr (kIsVector<Member>) {
        part.read(block, value.*member);
      } else {
        part.read(block, last.*member);
        value.*member = last.*member;
      }
    });
  }

  RecordParts<Snapshot> snapshot_{block};
  RecordParts<Tick> tick_{block};
  Known known_;
  Tick last_;  ///< without lists
  MonotonicTime last_at_{};
  WallTime last_wall_{};
  Duration step_{};
  WallTime::duration wall_step_{};
};

TickColumns::TickColumns() : coder_(std::make_unique<Coder>()) {}
TickColumns::~TickColumns() = default;
TickColumns::TickColumns(TickColumns&&) noexcept = default;
TickColumns& TickColumns::operator=(TickColumns&&) noexcept = default;

void TickColumns::write(const Tick& tick) {
  coder_->write(tick);
}

std::size_t TickColumns::size() const {
  std::size_t size = 0;
  for (const auto& column : coder_->block.columns) size += column->values.size();
  return size;
}

bool TickColumns::read(Tick& tick, TickParts parts) {
  return coder_->read(tick, parts);
}

columns::Block& TickColumns::block() {
  return coder_->block;
}

}  // namespace memcoord::observers
