#pragma once
// A libvirt daemon inside a test. Its domains hang and its connections break on demand.

#include <libvirt/libvirt.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/hypervisor/libvirt/connection.h"

namespace memcoord::libvirt::fake {

/// A domain of the fake daemon. Tests set what they need.
struct FakeDomain {
  std::string name;
  int id = 1;
  DomainState state = DomainState::running;
  MemorySize actual = MemorySize::from_gib(1);
  MemorySize maximum = MemorySize::from_gib(2);
  std::optional<MemorySize> announced;  ///< `actual` in bulk calls, where that lags behind
  int period = 0;
  std::string metadata;                                 ///< inside <metadata>
  std::optional<std::string> configured_metadata;       ///< DomainXml::configured_settings
  std::string balloon = "<memballoon model='virtio'>";  ///< its opening tag
  std::string numatune;                                 ///< inside <numatune>
  std::string placed_on;                                ///< DomainXml::placed_on
  bool hangs = false;  ///< every call that needs its monitor blocks
  bool monitor_is_free =
      false;  ///< its calls block, but its monitor counts as free: the guest is slow
  /// The daemon has locked the domain, as while it stops one: all calls about it wait, and so does
  /// the list of domains.
  bool locked = false;
  int asked_by_others = 0;   ///< bulk calls that find another tool's call at it
  bool in_long_job = false;  ///< a job is under way
  int job_operation = VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
  bool xml_refused = false;        ///< the daemon does not return its XML
  bool refuses = false;            ///< changes fail with an internal error
  bool period_hangs = false;       ///< it hangs from the call that sets its period
  bool loses_connections = false;  ///< at the next call that sets its memory; then it hangs
  bool answers_late = false;       ///< its memory is set at once, the answer comes with go_on()
  bool reports_now = false;        ///< its guest has just reported
  MemorySize unused;  ///< what its guest reports when it is asked; 0: half of its memory
  bool loses_connections_off = false;  ///< as soon as its period is 0
  // Results.
  bool job_taken = false;  ///< a blocked call holds its job
  int memory_calls = 0;
  int balloon_calls = 0;
  int period_calls = 0;
  std::optional<MemorySize> reported;  ///< its guest's unused memory when it was last asked
  /// Targets that were sent and have not been carried out yet, with their calls. Call 0: its
  /// connection was lost since.
  struct Sent {
    std::uint64_t call = 0;
    MemorySize target;
    bool done = false;
  };
  std::vector<Sent> sent;
};

/// Calls that a test can answer one by one, as over a slow link.
enum class Call { list, xml, control_state, bulk, complete, in_long_job };
inline constexpr std::size_t kCallCount = 6;

/// What connections to the daemon share. Methods lock. A blocked call waits until go_on(), start(),
/// restart(), stop() or drop_connections().
class FakeDaemon {
 public:
  FakeDomain& add(const std::string& name);
  [[nodiscard]] static Uuid uuid(const std::string& name);

  /// Runs `change` on a domain under the lock and wakes the calls that wait.
  template <class Change>
  void with(const std::string& name, Change change) {
    const std::lock_guard lock(mutex_);
    change(domains_.at(uuid(name)));
    changed_.notify_all();
  }
  [[nodiscard]] FakeDomain domain(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return domains_.at(uuid(name));
  }
  void hang(const std::string& name) {
    with(name, [](FakeDomain& domain) { domain.hangs = true; });
  }
  /// The domain answers again. It carries out at once, in order, what was sent to it, unless it
  /// refuses.
  void go_on(const std::string& name);
  /// Gives the domain another process. What was sent to the last one is lost.
  void stop_and_start(const std::string& name, MemorySize size);
  /// The largest size that the domain may have, with all targets that it may still carry out.
  [[nodiscard]] MemorySize may_take(const std::string& name) const;
  void remove(const std::string& name);
  void rename(const std::string& from, const std::string& to);

  /// The daemon ends: its connections are lost, and no new one opens.
  void stop();
  /// The daemon runs again. Earlier connections stay lost.
  void start();
  /// Both at once. Calls that hung are lost with their connections.
  void restart();
  /// The daemon accepts calls and answers none until start().
  void stop_answering();
  /// The connections are lost. Hung guests stay hung, and keep what was sent to them.
  void drop_connections();
  /// Answers `times` more calls of a kind from now on; further ones wait.
  void answer_only(Call call, int times);
  void answer_all(Call call);
  [[nodiscard]] int answers_left(Call call) const;
  /// The host has this much memory, less the domains' sizes. Without a call 8 GiB are always free.
  void set_memory(MemorySize memory) { memory_ = memory; }
  void set_cells(std::vector<NumaCell> cells) { cells_ = std::move(cells); }

  [[nodiscard]] int opened() const;    ///< connections opened so far
  [[nodiscard]] int open_now() const;  ///< connections not closed yet
  [[nodiscard]] int bulk_calls() const;
  [[nodiscard]] int host_calls() const;
  void answer_bulk_with_states_alone() { bulk_figures_ = false; }
  void make_read_only() { read_only_ = true; }
  void set_driver(std::string driver) { driver_ = std::move(driver); }

 private:
  friend class FakeConnection;
  friend class FakeConnector;
  using Lock = std::unique_lock<std::mutex>;
  void drop_connections_locked();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Uuid, FakeDomain> domains_;
  std::array<std::optional<int>, kCallCount> answers_left_;
  std::optional<MemorySize> memory_;
  std::vector<NumaCell> cells_;
  std::uint64_t calls_ = 0;
  std::string driver_ = "QEMU";
  bool read_only_ = false;
  bool bulk_figures_ = true;
  bool running_ = true;
  bool unresponsive_ = false;
  int life_ = 1;  ///< counts the daemon's starts
  int opened_ = 0;
  int open_now_ = 0;
  int bulk_calls_ = 0;
  int host_calls_ = 0;
};

class FakeConnector final : public Connector {
 public:
  explicit FakeConnector(std::shared_ptr<FakeDaemon> daemon) : daemon_(std::move(daemon)) {}
  LibvirtResult<std::unique_ptr<Connection>> connect() override;

 private:
  std::shared_ptr<FakeDaemon> daemon_;
};

}  // namespace memcoord::libvirt::fake
