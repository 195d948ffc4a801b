// The guard's properties over generated worlds: any sizes (up to 2^63 KiB), any states, any
// past, any proposals.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;

namespace {

/// Sizes as they are (MiB to GiB), at the edges, and beyond all measure.
rc::Gen<MemorySize> any_size() {
  const auto kib = [](std::uint64_t least, std::uint64_t most) {
    return rc::gen::map(rc::gen::inRange<std::uint64_t>(least, most), &MemorySize::from_kib);
  };
  return rc::gen::weightedOneOf<MemorySize>(
      {{10, kib(0, 4U << 20U)},
       {3, rc::gen::element(0_KiB, 1_KiB, 100_MiB, 100_MiB - 1_KiB, 200_MiB, 1_GiB)},
       {1, rc::gen::element(MemorySize::from_kib(std::uint64_t{1} << 62U),
                            MemorySize::from_kib(std::uint64_t{1} << 63U))}});
}

bool chance_in(int n) {
  return *rc::gen::inRange(0, n) == 0;
}

/// Of the nodes below, and one that the host does not report.
std::vector<NodeBinding> any_binding() {
  const auto some_nodes = [] {
    return *rc::gen::element(NodeSet{0}, NodeSet{1}, NodeSet{0, 1}, NodeSet{1, 2}, NodeSet{3});
  };
  if (chance_in(2)) return {};
  if (chance_in(2)) return {{some_nodes(), std::nullopt}};
  return {{some_nodes(), *any_size()}, {some_nodes(), *any_size()}};
}

Domain any_domain(const std::string& name, const Snapshot& snapshot) {
  DomainIdentity identity;
  identity.uuid = id(name);
  identity.name = name;
  if (chance_in(4)) identity.settings.minimum = *any_size();
  if (chance_in(4)) identity.settings.maximum = *any_size();
  identity.settings.weight = *rc::gen::element(1.0, 1.0, 0.5, 10.0, 0.0, -1.0, 1e300);
  identity.settings.exclude = chance_in(12);
  if (chance_in(12)) identity.unsuitable = "cannot be served";
  if (chance_in(6)) identity.hard_limit = *any_size();
  identity.backing.kind = *rc::gen::element(
      MemoryBacking::Kind::ballooned, MemoryBacking::Kind::pinned, MemoryBacking::Kind::hidden);
  identity.backing.hugepages = chance_in(6);
  if (chance_in(6)) identity.backing.beside_hugepages = *any_size();
  if (chance_in(6)) identity.backing.unplugged = *any_size();
  identity.bound_to = any_binding();
  Domain domain;
  domain.actual = *any_size();
  domain.maximum = chance_in(3) ? *any_size() : domain.actual + *any_size();
  domain.state =
      chance_in(8) ? static_cast<DomainState>(*rc::gen::inRange(0, 8)) : DomainState::running;
  if (!chance_in(8)) domain.rss = *any_size();
  if (!chance_in(10)) domain.guest.unused = *any_size();
  if (!chance_in(3)) domain.guest.usable = *any_size();
  if (!chance_in(3)) domain.guest.available = *any_size();
  domain.guest.period = std::chrono::seconds(*rc::gen::inRange(0, 5));
  if (!chance_in(10)) {
    domain.guest.last_update =
        snapshot.wall_time - std::chrono::milliseconds(*rc::gen::inRange(-2000, 12000));
  }
  if (chance_in(10)) {
    domain.started_at = snapshot.taken_at - std::chrono::seconds(*rc::gen::inRange(0, 60));
  }
  domain.deflates_by_itself = chance_in(4);
  domain.identity = std::make_shared<const DomainIdentity>(std::move(identity));
  return domain;
}

/// For domains of the snapshot, and for one that has not started.
std::vector<Reserve> any_reserves(int domains) {
  std::vector<Reserve> reserves;
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    Reserve reserve;
    reserve.name = std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, domains + 1)));
    if (chance_in(2)) reserve.uuid = id(reserve.name);
    reserve.size = *any_size();
    reserves.push_back(std::move(reserve));
  }
  return reserves;
}

Snapshot any_snapshot(Duration at, int domains) {
  Snapshot snapshot = World().at(at);
  snapshot.host.total = *any_size();
  snapshot.host.free = *any_size();
  if (!chance_in(3)) snapshot.host.available = *any_size();
  if (chance_in(3)) snapshot.host.merged = *any_size();
  for (int id = 0; id < 3; ++id) {
    NumaCell cell{id, *any_size(), *any_size()};
    if (chance_in(3)) cell.available = *any_size();
    snapshot.host.cells.push_back(cell);
  }
  for (int i = 0; i < domains; ++i) {
    snapshot.domains.push_back(any_domain(std::string(1, static_cast<char>('a' + i)), snapshot));
  }
  snapshot.reserves = any_reserves(domains);
  return snapshot;
}

Limits any_limits() {
  Limits limits;
  if (chance_in(2)) limits.domain_floor = Limits::kDomainFloor + *any_size();
  if (chance_in(2)) limits.host_floor = Limits::kHostFloor + *any_size();
  limits.max_reclaim = *rc::gen::element(0.5, 0.25, 0.01);
  limits.headroom = *rc::gen::element(Headroom::larger, Headroom::unused, Headroom::usable);
  if (chance_in(3)) limits.host_memory = *any_size();
  limits.overcommit = *rc::gen::element(1.0, 1.0, 0.5, 1.5, 10.0);
  return limits;
}

std::vector<Proposal> any_proposals(int domains) {
  std::vector<Proposal> proposals;
  const int n = *rc::gen::inRange(0, domains + 2);
  for (int i = 0; i < n; ++i) {
    // The name after the last belongs to no domain.
    const auto name = std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, domains + 1)));
    proposals.push_back({id(name), *any_size(), "any"});
  }
  return proposals;
}

/// The same world on a host whose nodes no domain is bound to.
void bind_none(Snapshot& snapshot) {
  for (Domain& domain : snapshot.domains) {
    DomainIdentity identity = *domain.identity;
    identity.bound_to.clear();
    domain.identity = std::make_shared<const DomainIdentity>(std::move(identity));
  }
}

/// A world with a past: one or two samples, with moves between them.
struct Generated {
  Observed observed;
  std::vector<Proposal> proposals;

  [[nodiscard]] std::vector<Decision> review(const Limits& limits) const {
    return guard::review(observed.snapshot(), observed.history(), proposals, limits);
  }
};

/// The same world a moment later; the balloon of one domain may have moved.
Snapshot after(Snapshot snapshot, Duration since_start, const std::string& moved = {}) {
  const Snapshot start = World().at(since_start);
  snapshot.taken_at = start.taken_at;
  snapshot.wall_time = start.wall_time;
  for (Domain& domain : snapshot.domains) {
    if (domain.name() == moved) domain.actual = *any_size();
  }
  return snapshot;
}

Generated any_world(const std::function<void(Snapshot&)>& change = [](Snapshot&) {}) {
  const int domains = *rc::gen::inRange(1, 6);
  const auto sample = [&](Duration at) {
    Snapshot snapshot = any_snapshot(at, domains);
    change(snapshot);
    return snapshot;
  };
  Observed observed(sample(Duration()), any_limits());
  if (chance_in(2)) {
    const auto name = std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, domains)));
    // Sometimes the same guests go on, without a new report: an early tick.
    const bool early = chance_in(2);
    const Duration later = early ? Duration(std::chrono::milliseconds(300))
                                 : Duration(std::chrono::seconds(*rc::gen::inRange(1, 5)));
    if (early) observed.then(after(observed.snapshot(), later));
    observed.moved(name, *any_size());
    observed.then(early ? after(observed.snapshot(), 2 * later, name) : sample(later));
  }
  return {std::move(observed), any_proposals(domains)};
}

void check_property(const std::string& name, const std::function<void()>& property) {
  // scripts/check/properties raises the number of cases. rapidcheck reads its
  // parameters when it is first used.
  const char* wanted = std::getenv("MEMCOORD_PROPERTY_CASES");
  const std::string cases = wanted ? wanted : std::to_string(MEMCOORD_PROPERTY_CASES);
  ::setenv("RC_PARAMS", ("max_success=" + cases).c_str(), 0);
  CHECK(rc::check(name, property));
}

MemorySize headroom(const Generated& world, const Domain& domain) {
  return headroom_of(domain, world.observed.limits().headroom).value_or(MemorySize());
}

void check_shrink(const Generated& world, const Domain& domain, const Decision& decision) {
  const Limits& limits = world.observed.limits();
  const MemorySize taken = decision.actual - decision.target;
  const MemorySize had = headroom(world, domain);
  RC_ASSERT(had > taken);
  RC_ASSERT(had - taken >= limits.domain_floor);
  RC_ASSERT(taken <= had.scaled(limits.max_reclaim));
  if (const auto& usable = domain.guest.usable) {
    RC_ASSERT(*usable >= taken + Limits::kUsableFloor);
  }
  if (const auto& least = domain.settings().minimum) RC_ASSERT(decision.target >= *least);
  const DomainHistory& history = *world.observed.history().find(domain.uuid());
  RC_ASSERT(!history.balloon.ignores_shrinks());
  const auto& now = world.observed.snapshot().taken_at;
  if (!domain.started_at || now - *domain.started_at >= limits.grace) return;
  // A domain in its grace gives what the host needs at once.
  const guard::HostBalance host =
      guard::balance(world.observed.snapshot(), world.observed.history(), limits);
  RC_ASSERT(taken <= host.rescue + history.balloon.coming_back(domain));
}

void check_decision(const Generated& world, const Decision& decision) {
  const Domain* domain = world.observed.snapshot().find(decision.domain);
  if (decision.holds()) return;
  RC_ASSERT(domain != nullptr);
  RC_ASSERT(!decision.target.is_zero());
  RC_ASSERT(domain->state == DomainState::running);
  RC_ASSERT(domain->identity->unsuitable.empty());
  RC_ASSERT(!domain->settings().exclude);
  RC_ASSERT(domain->guest.last_update.has_value());
  const bool reported =
      world.observed.history().find(domain->uuid())->balloon.reported_since_move();
  const bool was_short = headroom(world, *domain) < world.observed.limits().low_domain();
  RC_ASSERT(reported || (decision.grows() && was_short));
  const auto times = std::count_if(world.proposals.begin(), world.proposals.end(),
                                   [&](const Proposal& p) { return p.domain == decision.domain; });
  RC_ASSERT(times == 1);
  if (decision.grows()) {
    RC_ASSERT(decision.target <= domain->maximum);
    if (const auto& most = domain->settings().maximum) RC_ASSERT(decision.target <= *most);
    if (const auto& limit = domain->identity->hard_limit) RC_ASSERT(decision.target <= *limit);
    RC_ASSERT(decision.target <= decision.proposed);
  } else {
    RC_ASSERT(decision.target >= decision.proposed);
    check_shrink(world, *domain, decision);
  }
}

/// The sums of all decisions: memory granted beyond what was committed before, and memory released.
struct Balance {
  MemorySize granted;
  MemorySize released;
};

Balance balance(const Generated& world, const std::vector<Decision>& decisions) {
  Balance sum;
  for (const Decision& decision : decisions) {
    const Domain* domain = world.observed.snapshot().find(decision.domain);
    if (!domain) continue;
    if (decision.grows()) {
      sum.granted += decision.target -
                     world.observed.history().find(domain->uuid())->balloon.committed(*domain);
    }
    if (decision.shrinks()) sum.released += decision.actual - decision.target;
  }
  return sum;
}

std::set<NodeSet> bound_sets(const Snapshot& snapshot) {
  std::set<NodeSet> sets;
  for (const Domain& domain : snapshot.domains) {
    for (const NodeBinding& binding : domain.identity->bound_to) sets.insert(binding.nodes);
  }
  return sets;
}

bool bound_within(const Domain& domain, const NodeSet& nodes) {
  const auto& bound_to = domain.identity->bound_to;
  return std::any_of(bound_to.begin(), bound_to.end(), [&](const NodeBinding& binding) {
    return std::all_of(binding.nodes.begin(), binding.nodes.end(), [&](int id) {
      return std::find(nodes.begin(), nodes.end(), id) != nodes.end();
    });
  });
}

/// The nodes' headroom above their part of the host's floor.
MemorySize given_by(const NodeSet& nodes, const Host& host, const Limits& limits) {
  MemorySize headroom;
  MemorySize total;
  MemorySize of_all;
  for (const NumaCell& cell : host.cells) {
    of_all += cell.total;
    if (std::find(nodes.begin(), nodes.end(), cell.id) == nodes.end()) continue;
    headroom += cell_headroom(cell, limits.headroom);
    total += cell.total;
  }
  if (of_all.is_zero()) return headroom;
  const double part = static_cast<double>(total.kib()) / static_cast<double>(of_all.kib());
  return headroom - limits.host_floor.scaled(part);
}

}  // namespace

TEST_CASE("no decision of the guard breaks a rule") {
  check_property("no decision breaks a rule", [] {
    const Generated world = any_world();
    for (const Decision& decision : world.review(world.observed.limits())) {
      check_decision(world, decision);
    }
  });
}

TEST_CASE("grows together never pass what the host can give and the shrinks release") {
  check_property("grows fit the host", [] {
    const Generated world = any_world();
    const auto& limits = world.observed.limits();
    const auto decisions = world.review(limits);
    const Balance sum = balance(world, decisions);
    RC_ASSERT(
        sum.granted <=
        guard::balance(world.observed.snapshot(), world.observed.history(), limits).grantable +
            sum.released);
    // And after settling, when nothing has been released yet, without counting on it.
    const auto settled =
        guard::settle(decisions, world.observed.snapshot(), world.observed.history(), limits);
    RC_ASSERT(
        balance(world, settled).granted <=
        guard::balance(world.observed.snapshot(), world.observed.history(), limits).grantable);
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      if (decisions[i].grows()) RC_ASSERT(settled[i].target <= decisions[i].target);
      if (!decisions[i].grows()) RC_ASSERT(settled[i] == decisions[i]);
    }
  });
}

TEST_CASE("what is reserved is never granted, and never granted twice") {
  check_property("reserves are kept", [] {
    const Generated world = any_world();
    const Limits& limits = world.observed.limits();
    const Snapshot& snapshot = world.observed.snapshot();
    const History& history = world.observed.history();
    Snapshot unreserved = snapshot;
    unreserved.reserves.clear();
    const guard::HostBalance with = guard::balance(snapshot, history, limits);
    const guard::HostBalance without = guard::balance(unreserved, history, limits);
    RC_ASSERT(with.grantable.is_zero() || with.grantable + with.reserved <= without.grantable);
    RC_ASSERT(with.shortfall >= without.shortfall);
    RC_ASSERT(with.reserves_lack + with.reserves_under_way <= with.reserved);
    // No grow takes what is reserved, whatever this tick's shrinks release.
    const Balance sum = balance(world, world.review(limits));
    if (sum.granted.is_zero()) return;
    RC_ASSERT(sum.granted + with.shortfall <= with.grantable + sum.released);
  });
}

TEST_CASE("whatever rss and free say, grows never take more than the host has") {
  check_property("committed memory fits the host", [] {
    const Generated world = any_world();
    const Limits& limits = world.observed.limits();
    const Snapshot& snapshot = world.observed.snapshot();
    const Balance sum = balance(world, world.review(limits));
    const MemorySize given = sum.granted - sum.released;
    if (given.is_zero()) return;
    MemorySize committed = limits.host_floor + given;
    for (const Domain& domain : snapshot.domains) {
      const BalloonTracker& balloon = world.observed.history().find(domain.uuid())->balloon;
      committed += ordinary_memory(domain, balloon.committed(domain));
    }
    RC_ASSERT(committed <= snapshot.host.total.scaled(limits.overcommit));
    RC_ASSERT(limits.host_floor + given <= host_headroom(snapshot.host, limits.headroom));
  });
}

TEST_CASE("grows of bound domains never pass their nodes' free memory less the floor's part") {
  check_property("grows fit the nodes", [] {
    const Generated world = any_world();
    const auto& limits = world.observed.limits();
    const Host& host = world.observed.snapshot().host;
    const auto check = [&](const std::vector<Decision>& decisions, bool with_released) {
      for (const NodeSet& nodes : bound_sets(world.observed.snapshot())) {
        MemorySize granted;
        MemorySize released;
        for (const Decision& decision : decisions) {
          const Domain* domain = world.observed.snapshot().find(decision.domain);
          if (!domain) continue;
          const bool bound = bound_within(*domain, nodes);
          const MemorySize committed =
              world.observed.history().find(domain->uuid())->balloon.committed(*domain);
          if (decision.grows() && bound) granted += decision.target - committed;
          if (decision.shrinks() && with_released && bound) {
            released += decision.actual - decision.target;
          }
        }
        RC_LOG() << to_text(nodes) << ": " << granted << '\n';
        RC_ASSERT(granted <= given_by(nodes, host, limits) + released);
      }
    };
    const auto decisions = world.review(limits);
    check(decisions, true);
    check(guard::settle(decisions, world.observed.snapshot(), world.observed.history(), limits),
          false);
  });
}

TEST_CASE("the guard is idempotent: it allows again what it has allowed") {
  check_property("idempotent", [] {
    Generated world = any_world();
    const auto once = world.review(world.observed.limits());
    std::vector<Proposal> again;
    for (const Decision& decision : once) {
      if (world.observed.snapshot().find(decision.domain) && !decision.holds()) {
        again.push_back({decision.domain, decision.target, decision.why});
      }
    }
    world.proposals = again;
    for (const Decision& decision : world.review(world.observed.limits())) {
      RC_LOG() << decision << '\n';
      RC_ASSERT(decision.target == decision.proposed);
      RC_ASSERT(decision.rules.empty());
    }
  });
}

TEST_CASE("a stricter limit never allows more") {
  check_property("stricter never allows more", [] {
    // Memory that a node cannot give to its domains goes to others.
    const Generated world = any_world(bind_none);
    const Limits lax = world.observed.limits();
    Limits strict = lax;
    strict.domain_floor += *any_size();
    strict.host_floor += *any_size();
    strict.max_reclaim /= *rc::gen::element(1.0, 2.0, 10.0);
    // A guest that does not report the chosen figure is left alone; others may get its part.
    const auto& domains = world.observed.snapshot().domains;
    const bool all_report = std::all_of(domains.begin(), domains.end(), [](const Domain& domain) {
      return domain.guest.unused.has_value();
    });
    if (lax.headroom == Headroom::larger && all_report) {
      strict.headroom = *rc::gen::element(Headroom::larger, Headroom::unused, Headroom::usable);
    }
    // Where others may give less, a domain that has just started gives more.
    const auto given_in_grace = [&world](const Limits& limits) {
      MemorySize sum;
      const Observed& observed = world.observed;
      for (const DomainView& each :
           guard::assess(observed.snapshot(), observed.history(), limits).domains) {
        sum += each.in_grace;
      }
      return sum;
    };
    if (!given_in_grace(strict).is_zero()) return;
    const auto view = [&world](const Limits& limits, const Uuid& uuid) {
      const Observed& observed = world.observed;
      const auto views = guard::assess(observed.snapshot(), observed.history(), limits).domains;
      return *std::find_if(views.begin(), views.end(),
                           [&](const DomainView& each) { return each.domain.uuid() == uuid; });
    };
    // A guest that is short under the higher floor alone may grow before its next report.
    const auto newly_short = [&](const Uuid& uuid) {
      const auto skipped = view(lax, uuid).skipped;
      return skipped && skipped->rule == Rule::fresh_stats && view(strict, uuid).grows_only;
    };
    const auto a = world.review(lax);
    const auto b = world.review(strict);
    RC_ASSERT(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto moved = [](const Decision& d) {
        return std::max(d.target, d.actual) - std::min(d.target, d.actual);
      };
      if (b[i].grows() && newly_short(b[i].domain)) continue;
      RC_ASSERT(moved(b[i]) <= moved(a[i]));
    }
  });
}

TEST_CASE("the order of domains and proposals does not matter") {
  check_property("order does not matter", [] {
    Generated world = any_world();
    std::map<Uuid, MemorySize> first;
    for (const Decision& d : world.review(world.observed.limits())) first[d.domain] = d.target;
    std::reverse(world.proposals.begin(), world.proposals.end());
    Snapshot turned = world.observed.snapshot();
    std::reverse(turned.domains.begin(), turned.domains.end());
    for (const Decision& d : guard::review(turned, world.observed.history(), world.proposals,
                                           world.observed.limits())) {
      RC_ASSERT(first.at(d.domain) == d.target);
    }
  });
}

TEST_CASE("shares never pass the total or a want, and leave no memory while a want is unmet") {
  check_property("shares", [] {
    const MemorySize total = *any_size();
    std::vector<guard::Want> wants;
    const int n = *rc::gen::inRange(0, 8);
    for (int i = 0; i < n; ++i) {
      wants.push_back({*any_size(), *rc::gen::element(1.0, 2.0, 0.1, 0.0, 1e300)});
    }
    const auto shares = guard::share_out(total, wants);
    MemorySize left = total;
    bool any_unmet = false;
    for (std::size_t i = 0; i < wants.size(); ++i) {
      RC_ASSERT(shares[i] <= wants[i].amount);
      RC_ASSERT(shares[i] <= left);
      left -= shares[i];
      any_unmet = any_unmet || shares[i] < wants[i].amount;
    }
    // Rounding may leave a KiB a want, or near 2^63 more, by the precision of a double.
    if (any_unmet && total < 1_GiB * 1024) RC_ASSERT(left <= MemorySize::from_kib(8));
  });
}

namespace {

/// A guest that reports at any moments, asked or not; a hypervisor that sees some of the reports;
/// and memcoord, which observes some of these. The domain's balloon is moved now and then.
class AskedGuest {
 public:
  void report(Duration now) {
    made_at_ = now;
    unused_ = *rc::gen::element(300_MiB, 400_MiB, 500_MiB);
  }
  /// As the libvirt hypervisor follows reports between two samples.
  void query(Duration now) {
    const Snapshot snapshot = at(now);
    const GuestStatistics& report = snapshot.domains[0].guest;
    if (shown_ && GuestReports::differ(report, *shown_)) shown_before_ = shown_at_;
    shown_ = report;
    shown_at_ = snapshot.taken_at;
  }
  void observe(Duration now) {
    query(now);
    Snapshot snapshot = at(now);
    snapshot.domains[0].reported_after = shown_before_;
    observed_.then(snapshot);
    observed_at_ = now;
  }
  /// A report may come between the observation that led to the move and the move.
  void move(Duration now) {
    const Snapshot& snapshot = observed_.snapshot();
    const Duration since = now - observed_at_;
    const Outcome outcome{id("a"), 1_GiB, 900_MiB, Outcome::Kind::applied, {}};
    observed_.history().record({&outcome, 1}, snapshot.taken_at + since,
                               snapshot.wall_time_at(snapshot.taken_at + since));
    moved_at_ = now;
  }
  /// Whether memcoord takes the newest report as newer than the move, which it is not.
  [[nodiscard]] bool is_mistaken() const {
    const BalloonTracker& balloon = observed_.history().find(id("a"))->balloon;
    return moved_at_ && balloon.reported_since_move() && made_at_ <= *moved_at_;
  }

 private:
  /// The report's stamp counts whole seconds.
  [[nodiscard]] Snapshot at(Duration now) const {
    const Duration second = std::chrono::floor<std::chrono::seconds>(made_at_);
    return World().at(now).domain("a", unused(unused_), reported_ago(now - second));
  }

  Duration made_at_{};
  MemorySize unused_ = 300_MiB;
  Observed observed_{World().domain("a", unused(300_MiB))};
  Duration observed_at_{};
  std::optional<GuestStatistics> shown_;
  MonotonicTime shown_at_{};
  std::optional<MonotonicTime> shown_before_;
  std::optional<Duration> moved_at_;
};

}  // namespace

TEST_CASE("whoever is asked when, no report from before a move counts as newer than it") {
  check_property("reports and moves", [] {
    AskedGuest guest;
    Duration now{};
    for (int step = 0; step < 12; ++step) {
      now += std::chrono::milliseconds(*rc::gen::inRange(1, 800));
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
        case 1:
          guest.report(now);
          break;
        case 2:
          guest.query(now);
          break;
        case 3:
          guest.move(now);
          break;
        default:
          guest.observe(now);
      }
      RC_ASSERT(!guest.is_mistaken());
    }
  });
}
