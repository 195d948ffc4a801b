#include "tests/bench/busy_host.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <utility>

namespace memcoord::bench {
namespace {

constexpr MemorySize kMaximum = MemorySize::from_gib(2);
constexpr MemorySize kKernel = MemorySize::from_mib(50);

/// Adds the duration of a scope to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(std::chrono::nanoseconds& sum) : sum_(sum) {}
  ~Stopwatch() { sum_ += std::chrono::steady_clock::now() - start_; }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::chrono::nanoseconds& sum_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::shared_ptr<const DomainIdentity> identity(std::size_t number) {
  std::array<char, 24> name{};
  std::snprintf(name.data(), name.size(), "guest%09zu", number);
  DomainIdentity identity;
  identity.name = name.data();
  // Spread over all bits, like real UUIDs.
  identity.uuid = {(number + 1) * 0x9e3779b97f4a7c15U, (number + 7) * 0xc2b2ae3d27d4eb4fU};
  return std::make_shared<const DomainIdentity>(std::move(identity));
}

/// A guest's need at a sample: from 10 % to 90 % of its maximum and back within 200 samples.
MemorySize need(std::size_t guest, std::uint64_t sample) {
  constexpr std::uint64_t kRound = 200;
  const std::uint64_t at = (sample + guest * 37) % kRound;
  const std::uint64_t height = at < kRound / 2 ? at : kRound - at;
  return kMaximum / 10 + kMaximum / 1000 * (8 * height);
}

}  // namespace

BusyHost::BusyHost(const Clock& clock, std::size_t domains) : clock_(clock) {
  domains_.reserve(domains);
  while (domains_.size() < domains) {
    domains_.emplace_back();
    add(domains_.size() - 1);
  }
}

void BusyHost::add(std::size_t position) {
  Domain& domain = domains_[position];
  domain = {};
  domain.identity = identity(next_number_++);
  domain.actual = kMaximum / 2;
  domain.maximum = kMaximum;
  domain.rss = domain.actual;
  domain.guest.swap_in = domain.guest.swap_out = MemorySize();
  domain.guest.major_faults = domain.guest.minor_faults = 0;
  domain.guest.period = std::chrono::seconds(1);
  positions_[domain.uuid()] = position;
}

void BusyHost::replace_one() {
  positions_.erase(domains_[next_to_go_].uuid());
  add(next_to_go_);
  next_to_go_ = (next_to_go_ + 1) % domains_.size();
}

void BusyHost::live(std::size_t position) {
  Domain& domain = domains_[position];
  GuestStatistics& guest = domain.guest;
  const MemorySize total = domain.actual - kKernel;
  const MemorySize used = std::min(need(position, samples_), total);
  guest.available = total;
  guest.unused = total - used;
  guest.usable = *guest.unused + used / 10;
  guest.disk_caches = used / 10;
  *guest.minor_faults += 100;
  guest.last_update = clock_.wall_now();
  domain.rss = domain.actual;
}

Result<Snapshot> BusyHost::sample() {
  const Stopwatch watch(own_time_);
  ++samples_;
  Snapshot snapshot;
  snapshot.taken_at = clock_.now();
  snapshot.wall_time = clock_.wall_now();
  MemorySize granted;
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    live(i);
    granted += domains_[i].actual;
  }
  snapshot.host.total = kMaximum * domains_.size();
  snapshot.host.free = snapshot.host.total - granted;
  snapshot.host.available = snapshot.host.free;
  snapshot.domains = domains_;
  return snapshot;
}

std::vector<Outcome> BusyHost::apply(std::span<const Move> moves) {
  const Stopwatch watch(own_time_);
  std::vector<Outcome> outcomes;
  outcomes.reserve(moves.size());
  for (const Move& move : moves) {
    domains_[positions_.at(move.domain)].actual = move.to;
    outcomes.push_back({move.domain, move.from, move.to, Outcome::Kind::applied, std::nullopt});
  }
  return outcomes;
}

std::chrono::nanoseconds BusyHost::take_own_time() {
  return std::exchange(own_time_, {});
}

}  // namespace memcoord::bench
