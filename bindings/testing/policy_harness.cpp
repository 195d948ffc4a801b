#include "bindings/testing/policy_harness.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

namespace memcoord::bindings::testing {
namespace {

constexpr MonotonicTime kStart{std::chrono::hours(1)};

/// FNV-1a of the name: a domain keeps its UUID over ticks and runs.
Uuid uuid_of(std::string_view name) {
  Uuid uuid{0x7374616765640000U, 0xcbf29ce484222325U};
  for (const char c : name) {
    uuid.low = (uuid.low ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return uuid;
}

/// Advances only when the harness or the coordinator advances it.
class HarnessClock final : public Clock {
 public:
  explicit HarnessClock(WallTime start) : wall_start_(start) {}
  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override {
    return wall_start_ + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kStart);
  }
  bool sleep_for(Duration duration) override {
    now_ += duration;
    return true;
  }
  void go_to(MonotonicTime now) { now_ = std::max(now_, now); }

 private:
  MonotonicTime now_ = kStart;
  WallTime wall_start_;
};

std::array<double, 4> rates_of(const MockDomain& d) {
  return {d.swap_in, d.swap_out, d.major_faults, d.minor_faults};
}

MemorySize whole_kib(double kib) {
  return MemorySize::from_kib(static_cast<std::uint64_t>(std::max(kib, 0.0)));
}

GuestStatistics report_of(const MockDomain& d, WallTime at) {
  if (d.silent) return {};
  GuestStatistics guest = d.guest;
  guest.available = d.available.value_or(d.actual);
  guest.unused = d.unused;
  guest.usable = d.usable;
  guest.swap_in = whole_kib(d.counted[0]);
  guest.swap_out = whole_kib(d.counted[1]);
  guest.major_faults = static_cast<std::uint64_t>(d.counted[2]);
  guest.minor_faults = static_cast<std::uint64_t>(d.counted[3]);
  guest.last_update = at;
  guest.period = std::chrono::seconds(1);
  return guest;
}

Domain domain_of(const MockDomain& d, WallTime reported_at) {
  Domain domain;
  DomainIdentity identity{uuid_of(d.name), d.name, d.settings, {}};
  if (!d.nodes.empty()) identity.bound_to = {{d.nodes}};
  domain.identity = std::make_shared<const DomainIdentity>(std::move(identity));
  domain.deflates_by_itself = d.deflates_by_itself;
  domain.free_page_reporting = d.free_page_reporting;
  domain.state = d.state;
  domain.actual = d.actual;
  domain.maximum = d.maximum;
  domain.rss = d.rss.value_or(d.actual);
  domain.guest = report_of(d, reported_at);
  return domain;
}

/// A figure after the balloon has moved from one size to another, while the guest uses the same.
MemorySize moved_along(MemorySize figure, MemorySize from, MemorySize to) {
  return to > from ? figure + (to - from) : figure - (from - to);
}

/// Frees memory on the guest's nodes in equal parts; a guest without nodes frees it on all.
void give_back(MemorySize given, const NodeSet& nodes, Host& host) {
  host.free += given;
  if (host.available) *host.available += given;
  std::vector<NumaCell*> theirs;
  for (NumaCell& cell : host.cells) {
    if (nodes.empty() || includes(nodes, {cell.id})) theirs.push_back(&cell);
  }
  for (NumaCell* cell : theirs) cell->free += given / theirs.size();
}

void follow(MockDomain& d, MemorySize to, Host& host) {
  const MemorySize resident = d.rss.value_or(d.actual);
  resize(d, to);
  // A guest that grows takes no more of the host until it touches the new memory.
  d.rss = std::min(resident, to);
  give_back(resident - *d.rss, d.nodes, host);
}

/// The report of a guest that the test has resized is newer than its size, although one sample
/// brings both: it is stamped a moment after the sample.
constexpr std::chrono::milliseconds kAfterSample{1};

}  // namespace

void resize(MockDomain& d, MemorySize to) {
  const MemorySize from = std::exchange(d.actual, to);
  d.unused = moved_along(d.unused, from, to);
  if (d.usable) d.usable = moved_along(*d.usable, from, to);
  if (d.available) d.available = moved_along(*d.available, from, to);
}

MockDomain* MockWorld::find(std::string_view name) {
  const auto found = std::find_if(domains.begin(), domains.end(),
                                  [&](const MockDomain& d) { return d.name == name; });
  return found == domains.end() ? nullptr : &*found;
}

/// The harness's hypervisor, with its clock.
class PolicyHarness::FakeHost final : public Hypervisor {
 public:
  explicit FakeHost(MockWorld staged)
      : world(std::move(staged)), clock(before_first_tick(world)), reported_at_(clock.wall_now()) {}

  [[nodiscard]] std::string description() const override { return "harness:"; }

  Result<Snapshot> sample() override {
    Snapshot snapshot;
    snapshot.taken_at = clock.now();
    snapshot.wall_time = clock.wall_now();
    snapshot.host = world.host;
    for (const MockDomain& d : world.domains) {
      const auto after = d.resized ? kAfterSample : kAfterSample * 0;
      snapshot.domains.push_back(domain_of(d, reported_at_ + after));
      Domain& domain = snapshot.domains.back();
      if (still) domain.rss = std::max(*domain.rss, domain.actual);
    }
    std::sort(snapshot.domains.begin(), snapshot.domains.end(),
              [](const Domain& a, const Domain& b) { return a.name() < b.name(); });
    return snapshot;
  }

  std::vector<Outcome> apply(std::span<const Move> moves) override {
    std::unordered_map<Uuid, MockDomain*> by_uuid;
    for (MockDomain& d : world.domains) by_uuid.emplace(uuid_of(d.name), &d);
    std::vector<Outcome> outcomes;
    for (const Move& move : moves) {
      MockDomain& d = *by_uuid.at(move.domain);
      if (d.follows && !still) follow(d, move.to, world.host);
      const auto kind = still ? Outcome::Kind::skipped : Outcome::Kind::applied;
      outcomes.push_back({move.domain, move.from, move.to, kind, std::nullopt});
    }
    return outcomes;
  }

  std::vector<Note> drain_notes() override { return {}; }
  void close() override {}

  /// Advances time. The guests count their activity meanwhile, and report.
  void advance(Duration duration) {
    tick_at_ += duration;
    clock.go_to(tick_at_);
    const double seconds = seconds_of(duration);
    for (MockDomain& d : world.domains) {
      const auto rates = rates_of(d);
      for (std::size_t i = 0; i < rates.size(); ++i) d.counted.at(i) += rates.at(i) * seconds;
    }
    reported_at_ = clock.wall_now();
  }

  MockWorld world;
  HarnessClock clock;
  /// True for the sample before the first tick: no balloon moves, although the engine itself may
  /// ask for it, and every page counts as touched, so that no rss later seems to be QEMU's own.
  bool still = false;

 private:
  MonotonicTime tick_at_ = kStart;
  WallTime reported_at_;

  static WallTime before_first_tick(const MockWorld& world) {
    return world.time - std::chrono::floor<WallTime::duration>(world.interval);
  }
};

/// Hides the coordinator's first tick from the policy: rates need two samples, so that the
/// harness samples the first world twice.
class PolicyHarness::RecordingPolicy final : public Policy {
 public:
  explicit RecordingPolicy(std::unique_ptr<Policy> policy) : policy_(std::move(policy)) {}

  [[nodiscard]] std::string name() const override { return policy_->name(); }

  Result<PolicyAnswer> decide(const Situation& situation) override {
    answer = {};
    if (std::exchange(sampling_only_, false)) return PolicyAnswer{};
    Situation observed = situation;
    observed.tick = ++ticks_;
    if (ticks_ == 1) observed.since_last = {};
    auto decided = policy_->decide(observed);
    if (decided) answer = *decided;
    return decided;
  }

  PolicyAnswer answer;  ///< the last one; empty where the policy failed

 private:
  std::unique_ptr<Policy> policy_;
  std::uint64_t ticks_ = 0;
  bool sampling_only_ = true;
};

PolicyHarness::PolicyHarness(std::unique_ptr<Policy> policy, const Limits& limits, MockWorld world)
    : machine_(std::make_unique<FakeHost>(std::move(world))) {
  auto recording = std::make_unique<RecordingPolicy>(std::move(policy));
  policy_ = recording.get();
  CoordinatorOptions options;
  options.limits = limits;
  coordinator_ = std::make_unique<Coordinator>(*machine_, machine_->clock, std::move(recording),
                                               std::move(options));
}

PolicyHarness::~PolicyHarness() = default;

MockWorld& PolicyHarness::world() {
  return machine_->world;
}

const PolicyAnswer& PolicyHarness::answer() const {
  return policy_->answer;
}

Tick PolicyHarness::play() {
  if (!std::exchange(sampled_, true)) {
    machine_->still = true;
    coordinator_->tick();
    machine_->still = false;
  }
  machine_->advance(machine_->world.interval);
  Tick tick = coordinator_->tick();
  for (MockDomain& d : machine_->world.domains) d.resized = false;
  tick.number -= 1;
  return tick;
}

}  // namespace memcoord::bindings::testing
