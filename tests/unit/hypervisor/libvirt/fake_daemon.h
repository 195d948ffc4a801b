#pragma once
// A libvirt daemon that lives in a test: its domains hang, its connections break when told to.

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

/// A domain as the fake daemon has it; tests set what they need.
struct FakeDomain {
  std::string name;
  int id = 1;
  DomainState state = DomainState::running;
  MemorySize actual = MemorySize::from_gib(1);
  MemorySize maximum = MemorySize::from_gib(2);
  std::optional<MemorySize> told;  ///< what bulk calls say of `actual`, where that lags behind
  int period = 0;
  std::string metadata;                                 ///< inside <metadata>
  std::optional<std::string> configured_metadata;       ///< DomainXml::configured_settings
  std::string balloon = "<memballoon model='virtio'>";  ///< its opening tag
  std::string numatune;                                 ///< inside <numatune>
  std::string placed_on;                                ///< DomainXml::placed_on
  bool hangs = false;            ///< every call that needs its monitor blocks
  bool monitor_is_free = false;  ///< though its calls block, its monitor looks free: it is slow
  /// The daemon itself holds on to it, as while it stops it: whatever touches it waits, and so does
  /// the list of all domains.
  bool held = false;
  int asked_by_others = 0;   ///< bulk calls that find somebody else's call at it
  bool in_long_job = false;  ///< a job is under way
  int job_operation = VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
  bool xml_refused = false;        ///< its XML is not told
  bool refuses = false;            ///< changes are answered with an internal error
  bool period_hangs = false;       ///< it hangs from the call on that sets its period
  bool loses_connections = false;  ///< the next call that sets its memory, and then it hangs
  bool answers_late = false;  ///< its memory is set at once, but that is not answered until go_on()
  bool reports_now = false;   ///< its guest has reported just before it is asked
  // What happened to it.
  bool job_taken = false;  ///< a blocked call holds its job
  int memory_calls = 0;
  int balloon_calls = 0;
  int period_calls = 0;
  /// Targets that were sent and are not carried out yet, by the call. Those without one were sent
  /// on a connection that was lost since.
  struct Sent {
    std::uint64_t call = 0;
    MemorySize target;
    bool done = false;
  };
  std::vector<Sent> sent;
};

/// Calls that a test may let through one by one, as over a link that is too slow for all.
enum class Call { list, xml, control_state, bulk, complete, in_long_job };
inline constexpr std::size_t kCallCount = 6;

/// Everything that connections to the daemon share. Methods lock; a call that blocks waits until
/// release_all(), revive() or stop() lets it go on.
class FakeDaemon {
 public:
  FakeDomain& add(const std::string& name);
  [[nodiscard]] static Uuid uuid(const std::string& name);

  /// Runs `change` on a domain under the lock and wakes whatever waits.
  template <class Change>
  void with(const std::string& name, Change change) {
    const std::lock_guard lock(mutex_);
    change(domains_.at(uuid(name)));
    changed_.notify_all();
  }
  [[nodiscard]] FakeDomain look(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return domains_.at(uuid(name));
  }
  void hang(const std::string& name) {
    with(name, [](FakeDomain& domain) { domain.hangs = true; });
  }
  /// It answers again. What was sent to it before is carried out at once, in order, unless it
  /// refuses.
  void go_on(const std::string& name);
  /// Another process of the same domain: what was sent to the last one has gone with it.
  void stop_and_start(const std::string& name, MemorySize size);
  /// The most that it may take at this moment, with all that was sent to it and may be carried out.
  [[nodiscard]] MemorySize may_take(const std::string& name) const;
  void remove(const std::string& name);
  void rename(const std::string& from, const std::string& to);

  /// Gone: its connections are lost, no new one is opened.
  void stop();
  /// There again; earlier connections stay lost.
  void start();
  /// Both at once; calls that hung are lost with their connections.
  void restart();
  /// It takes calls and does not answer any, until start().
  void fall_silent();
  /// Its connections are lost; guests that hang go on hanging, and keep what was sent to them.
  void drop_connections();
  /// So many calls of a kind are answered from now on, besides those allowed before; others wait.
  void answer_only(Call call, int times);
  void answer_all(Call call);
  [[nodiscard]] int answers_left(Call call) const;
  /// The host has so much memory, of which domains take their sizes. (Without: 8 GiB are always
  /// free.)
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
  bool silent_ = false;
  int life_ = 1;  ///< counts its starts
  int opened_ = 0;
  int open_now_ = 0;
  int bulk_calls_ = 0;
  int host_calls_ = 0;
};

class FakeConnector final : public Connector {
 public:
  explicit FakeConnector(std::shared_ptr<FakeDaemon> daemon) : daemon_(std::move(daemon)) {}
  LvResult<std::unique_ptr<Connection>> connect() override;

 private:
  std::shared_ptr<FakeDaemon> daemon_;
};

}  // namespace memcoord::libvirt::fake
