#pragma once
// Changes the domains of a fake daemon in every tick, by a plan that a seed determines.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/unit/hypervisor/libvirt/fake_daemon.h"

namespace memcoord::soak {

/// Keeps the number of domains constant, and changes some of them between ticks.
class Churn {
 public:
  Churn(std::shared_ptr<libvirt::fake::FakeDaemon> daemon, std::size_t domains, std::uint64_t seed);

  /// Between two ticks: some domains stop and others start, restart, get another name, hang or
  /// answer again, refuse changes or accept them again; the daemon restarts now and then.
  void go_on(std::uint64_t tick);
  /// Between a tick's sample and its moves: the domain may begin to hang.
  void before_move(const Uuid& uuid);
  /// Whether the domain has hung until recently: a call from then may still run on its thread and
  /// overtake a new one. (A real monitor keeps the order of calls.)
  [[nodiscard]] bool recovers(const Uuid& uuid) const;
  /// Ends all faults: every domain answers and accepts changes.
  void calm_down();

  /// A domain of the plan.
  struct Planned {
    std::string key;  ///< its first name, by which the daemon finds it
    int start = 1;    ///< libvirt's id
    bool hangs = false;
    bool refuses = false;
    std::uint64_t hangs_until = 0;  ///< the tick from which it answers again, or last has
    std::uint64_t refuses_until = 0;
    [[nodiscard]] bool recovers(std::uint64_t tick) const {
      return hangs_until != 0 && tick < hangs_until + 10;
    }
  };
  [[nodiscard]] const std::vector<Planned>& domains() const { return domains_; }
  [[nodiscard]] std::size_t hanging() const { return hanging_; }

 private:
  void add_at(std::size_t place);
  Planned& any();
  [[nodiscard]] std::uint64_t up_to(std::uint64_t most);
  bool one_in(std::uint64_t n) { return up_to(n) == 0; }
  void hang(Planned& domain);
  void end_faults();

  std::shared_ptr<libvirt::fake::FakeDaemon> daemon_;
  std::mt19937_64 random_;
  std::vector<Planned> domains_;
  std::unordered_map<Uuid, std::size_t> places_;
  std::uint64_t tick_ = 0;
  std::uint64_t came_ = 0;
  std::size_t hanging_ = 0;
};

}  // namespace memcoord::soak
