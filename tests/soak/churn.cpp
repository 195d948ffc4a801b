#include "tests/soak/churn.h"

#include <utility>

namespace memcoord::soak {
namespace {

using libvirt::fake::FakeDaemon;
using libvirt::fake::FakeDomain;

/// How many domains may hang at a time. Each blocks a connection worker, of which eight may be
/// stuck.
constexpr std::size_t kMaxHanging = 4;
constexpr std::uint64_t kLongestFault = 60;  // ticks

}  // namespace

Churn::Churn(std::shared_ptr<FakeDaemon> daemon, std::size_t domains, std::uint64_t seed)
    : daemon_(std::move(daemon)), random_(seed) {
  domains_.resize(domains);
  for (std::size_t i = 0; i < domains; ++i) add_at(i);
}

// std::uniform_int_distribution differs between standard libraries.
std::uint64_t Churn::up_to(std::uint64_t most) {
  return random_() % most;
}

Churn::Planned& Churn::any() {
  return domains_[up_to(domains_.size())];
}

void Churn::add_at(std::size_t place) {
  Planned& planned = domains_[place];
  planned = {};
  planned.key = "vm" + std::to_string(++came_);
  daemon_->add(planned.key);
  daemon_->with(planned.key, [](libvirt::fake::FakeDomain& domain) { domain.reports_now = true; });
  places_.emplace(FakeDaemon::uuid(planned.key), place);
}

void Churn::hang(Planned& domain) {
  if (domain.hangs || hanging_ == kMaxHanging) return;
  daemon_->hang(domain.key);
  domain.hangs = true;
  domain.hangs_until = tick_ + 1 + up_to(kLongestFault);
  ++hanging_;
}

void Churn::end_faults() {
  for (Planned& domain : domains_) {
    if (domain.hangs && domain.hangs_until <= tick_) {
      daemon_->go_on(domain.key);
      domain.hangs = false;
      --hanging_;
    }
    if (domain.refuses && domain.refuses_until <= tick_) {
      daemon_->with(domain.key, [](FakeDomain& one) { one.refuses = false; });
      domain.refuses = false;
    }
  }
}

void Churn::go_on(std::uint64_t tick) {
  tick_ = tick;
  end_faults();
  for (int i = 0; i < 2; ++i) {
    const std::size_t place = up_to(domains_.size());
    if (domains_[place].hangs) --hanging_;  // its call ends with the domain
    daemon_->remove(domains_[place].key);
    places_.erase(FakeDaemon::uuid(domains_[place].key));
    add_at(place);
  }
  if (Planned& domain = any(); !domain.recovers(tick)) {
    ++domain.start;
    daemon_->with(domain.key, [&](FakeDomain& one) {
      one.id = domain.start;
      one.actual = MemorySize::from_gib(1);
      one.period = 0;
    });
  }
  Planned& renamed = any();
  daemon_->rename(renamed.key, renamed.key + "-" + std::to_string(tick));
  if (one_in(25)) hang(any());
  if (Planned& domain = any(); one_in(3) && !domain.refuses) {
    domain.refuses = true;
    domain.refuses_until = tick + 1 + up_to(kLongestFault);
    daemon_->with(domain.key, [](FakeDomain& one) { one.refuses = true; });
  }
  if (tick % 2'000 != 0) return;
  daemon_->restart();  // hanging calls end with their connections
  for (Planned& domain : domains_) {
    if (std::exchange(domain.hangs, false)) domain.hangs_until = tick;
  }
  hanging_ = 0;
}

void Churn::before_move(const Uuid& uuid) {
  if (one_in(500)) hang(domains_[places_.at(uuid)]);
}

bool Churn::recovers(const Uuid& uuid) const {
  const auto found = places_.find(uuid);
  return found == places_.end() || domains_[found->second].recovers(tick_);
}

void Churn::calm_down() {
  tick_ += kLongestFault + 1;
  end_faults();
}

}  // namespace memcoord::soak
