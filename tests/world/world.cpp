#include "tests/world/world.h"

#include <algorithm>
#include <memory>

namespace memcoord {

std::ostream& operator<<(std::ostream& out, MemorySize size) {
  return out << size.exact();
}

std::ostream& operator<<(std::ostream& out, const Decision& decision) {
  out << decision.domain.text() << " " << decision.actual << ", proposed " << decision.proposed
      << ", target " << decision.target;
  for (const RuleHit& hit : decision.rules) {
    out << "; " << to_text(hit.rule) << " " << hit.before << " to " << hit.after << ": " << hit.why;
  }
  return out;
}

}  // namespace memcoord

namespace memcoord::test {
namespace {

constexpr MonotonicTime kStart{std::chrono::hours(1)};
constexpr WallTime kWallStart{std::chrono::sys_days{std::chrono::year{2024} / 5 / 17}};

}  // namespace

DomainProperty actual(MemorySize size) {
  return [=](Domain& d, DomainIdentity&) { d.actual = size; };
}
DomainProperty maximum(MemorySize size) {
  return [=](Domain& d, DomainIdentity&) { d.maximum = size; };
}
DomainProperty unused(MemorySize size) {
  return [=](Domain& d, DomainIdentity&) { d.guest.unused = size; };
}
DomainProperty usable(MemorySize size) {
  return [=](Domain& d, DomainIdentity&) { d.guest.usable = size; };
}
DomainProperty rss(MemorySize size) {
  return [=](Domain& d, DomainIdentity&) { d.rss = size; };
}
DomainProperty guest_total(MemorySize size) {
  return [=](Domain& d, DomainIdentity&) { d.guest.available = size; };
}
DomainProperty state(DomainState state) {
  return [=](Domain& d, DomainIdentity&) { d.state = state; };
}
DomainProperty minimum(MemorySize size) {
  return [=](Domain&, DomainIdentity& i) { i.settings.minimum = size; };
}
DomainProperty ceiling(MemorySize size) {
  return [=](Domain&, DomainIdentity& i) { i.settings.maximum = size; };
}
DomainProperty weight(double weight) {
  return [=](Domain&, DomainIdentity& i) { i.settings.weight = weight; };
}
DomainProperty excluded() {
  return [](Domain&, DomainIdentity& i) { i.settings.exclude = true; };
}
DomainProperty unsuitable(std::string why) {
  return [why = std::move(why)](Domain&, DomainIdentity& i) { i.unsuitable = why; };
}
DomainProperty backed_by(MemoryBacking backing) {
  return [=](Domain&, DomainIdentity& i) { i.backing = backing; };
}
DomainProperty hard_limit(MemorySize size) {
  return [=](Domain&, DomainIdentity& i) { i.hard_limit = size; };
}
DomainProperty no_report() {
  return [](Domain& d, DomainIdentity&) { d.guest = {}; };
}
DomainProperty reported_ago(Duration age) {
  return [=](Domain& d, DomainIdentity&) {
    *d.guest.last_update -= std::chrono::duration_cast<std::chrono::milliseconds>(age);
  };
}
DomainProperty started_ago(Duration age) {
  // The default is the moment of the snapshot.
  return [=](Domain& d, DomainIdentity&) { d.started_at = *d.started_at - age; };
}
DomainProperty deflates_by_itself() {
  return [](Domain& d, DomainIdentity&) { d.deflates_by_itself = true; };
}
DomainProperty free_page_reporting() {
  return [](Domain& d, DomainIdentity&) { d.free_page_reporting = true; };
}
DomainProperty bound_to(NodeSet nodes) {
  return [nodes = std::move(nodes)](Domain&, DomainIdentity& i) {
    i.bound_to.push_back({nodes, std::nullopt});
  };
}
DomainProperty cell_bound_to(NodeSet nodes, MemorySize size) {
  return [nodes = std::move(nodes), size](Domain&, DomainIdentity& i) {
    i.bound_to.push_back({nodes, size});
  };
}
DomainProperty numbered(int id) {
  return [=](Domain& d, DomainIdentity&) { d.id = id; };
}
DomainProperty swapped(MemorySize in, MemorySize out) {
  return [=](Domain& d, DomainIdentity&) {
    d.guest.swap_in = in;
    d.guest.swap_out = out;
  };
}

HostProperty free(MemorySize size) {
  return [=](Host& h) { h.free = size; };
}
HostProperty available(MemorySize size) {
  return [=](Host& h) { h.available = size; };
}

HostProperty merged(MemorySize size) {
  return [=](Host& h) { h.merged = size; };
}
HostProperty swap_free(MemorySize size) {
  return [size](Host& host) { host.swap_free = size; };
}

HostProperty node(int id, MemorySize total, MemorySize free, std::optional<MemorySize> available) {
  return [=](Host& h) { h.cells.push_back({id, total, free, available}); };
}

World::World() {
  snapshot_.taken_at = kStart;
  snapshot_.wall_time = kWallStart;
  snapshot_.host.total = MemorySize::from_gib(64);
  snapshot_.host.free = MemorySize::from_gib(32);
}

World& World::at(Duration since_start) {
  snapshot_.taken_at = kStart + since_start;
  snapshot_.wall_time =
      kWallStart + std::chrono::duration_cast<std::chrono::milliseconds>(since_start);
  return *this;
}

void World::add(const std::string& name, std::vector<DomainProperty> properties) {
  domains_.emplace_back(name, std::move(properties));
}

World::operator Snapshot() const {
  Snapshot snapshot = snapshot_;
  for (const auto& [name, properties] : domains_) {
    DomainIdentity identity;
    identity.uuid = id(name);
    identity.name = name;
    Domain domain;
    domain.actual = MemorySize::from_gib(1);
    domain.maximum = MemorySize::from_gib(64);
    domain.guest.unused = MemorySize::from_mib(200);
    domain.guest.period = std::chrono::seconds(1);
    domain.guest.last_update = snapshot.wall_time;
    domain.started_at = snapshot.taken_at;
    for (const DomainProperty& set : properties) set(domain, identity);
    if (domain.started_at == snapshot.taken_at) domain.started_at.reset();
    if (!domain.rss) domain.rss = domain.actual;
    domain.identity = std::make_shared<const DomainIdentity>(std::move(identity));
    snapshot.domains.push_back(std::move(domain));
  }
  std::sort(snapshot.domains.begin(), snapshot.domains.end(),
            [](const Domain& a, const Domain& b) { return a.name() < b.name(); });
  return snapshot;
}

Uuid id(const std::string& name) {
  Uuid uuid{0x7465737400000000U, 0x8000000000000000U};
  for (const char c : name) uuid.low = uuid.low * 131 + static_cast<unsigned char>(c);
  return uuid;
}

Observed::Observed(Snapshot snapshot, Limits limits)
    : snapshot_(std::move(snapshot)), limits_(limits) {
  history_.observe(snapshot_);
}

Observed::Observed(std::vector<Snapshot> snapshots, Limits limits) : limits_(limits) {
  for (Snapshot& snapshot : snapshots) then(std::move(snapshot));
}

Situation Observed::situation() const {
  return guard::assess(snapshot_, history_, limits_);
}

std::vector<Decision> Observed::decide(
    const std::vector<std::pair<std::string, MemorySize>>& targets) const {
  std::vector<Proposal> proposals;
  for (const auto& [name, target] : targets) proposals.push_back({id(name), target, "a test"});
  return guard::review(snapshot_, history_, proposals, limits_);
}

Decision Observed::decide(const std::string& name, MemorySize target) const {
  return decide({{name, target}}).front();
}

Observed& Observed::moved(const std::string& name, MemorySize target, Outcome::Kind kind) {
  const Domain* domain = snapshot_.find(id(name));
  const std::vector<Outcome> outcomes{{id(name), domain->actual, target, kind, std::nullopt}};
  history_.record(outcomes, snapshot_.taken_at, snapshot_.wall_time);
  return *this;
}

Observed& Observed::then(Snapshot snapshot) {
  snapshot_ = std::move(snapshot);
  history_.observe(snapshot_);
  return *this;
}

std::vector<Rule> rules_of(const Decision& decision) {
  std::vector<Rule> rules;
  for (const RuleHit& hit : decision.rules) rules.push_back(hit.rule);
  return rules;
}

}  // namespace memcoord::test
