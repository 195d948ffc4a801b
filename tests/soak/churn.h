#pragma once
// What happens to the domains of a fake daemon, tick after tick, by a plan that a seed decides.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/unit/hypervisor/libvirt/fake_daemon.h"

namespace memcoord::soak {

/// Sees to it that there is always the same number of domains, and that none of them has peace.
class Churn {
 public:
  Churn(std::shared_ptr<libvirt::fake::FakeDaemon> daemon, std::size_t domains, std::uint64_t seed);

  /// Between two ticks: some domains go and others come, are started again, get another name, hang
  /// or are let go on, refuse changes or take them again; now and then the daemon is restarted.
  void go_on(std::uint64_t tick);
  /// Between a tick's look and its moves: the domain may hang just then.
  void before_move(const Uuid& uuid);
  /// Whether it hung a moment ago: a call that hung may still be under way on its own thread, and
  /// overtake one that is made now. (In a real monitor calls keep their order.)
  [[nodiscard]] bool recovers(const Uuid& uuid) const;
  /// Everything answers again, and nothing happens any more.
  void calm_down();

  /// A domain as the plan has it.
  struct Planned {
    std::string key;  ///< the name that it was added under: the daemon's for it
    int start = 1;    ///< libvirt's id
    bool hangs = false;
    bool refuses = false;
    std::uint64_t hangs_until = 0;  ///< the tick at which it answers again, or last did
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
  void end_troubles();

  std::shared_ptr<libvirt::fake::FakeDaemon> daemon_;
  std::mt19937_64 random_;
  std::vector<Planned> domains_;
  std::unordered_map<Uuid, std::size_t> places_;
  std::uint64_t tick_ = 0;
  std::uint64_t came_ = 0;
  std::size_t hanging_ = 0;
};

}  // namespace memcoord::soak
