#include "engine/observers/tick_columns.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/observers/domain_columns.h"

namespace memcoord::observers {
namespace {

using columns::Block;
using columns::Column;
using columns::DomainRows;
using columns::kNowhere;
using columns::KnownDomains;
using columns::Node;
using columns::unzigzag;
using columns::zigzag;

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
      if constexpr (std::is_same_v<Member, std::vector<Domain>>) {
        part.write(block, value.*member, known_.domains);
      } else if constexpr (!kIsNode<Member>) {
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
      if constexpr (std::is_same_v<Member, std::vector<Domain>>) {
        part.read(block, value.*member, known_.domains);
      } else if constexpr (!kIsNode<Member>) {
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
