#pragma once
// The libvirt calls that memcoord makes, as an interface. native_connection.h implements it with
// libvirt, tests/unit/hypervisor/libvirt/fake_daemon.h with a daemon that hangs and breaks on
// demand.
//
// Every call may block for as long as libvirt does. Connection workers (connection_workers.h) make
// the calls, so that the thread that samples waits no longer than its deadline.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/hypervisor/libvirt/libvirt_error.h"

namespace memcoord::libvirt {

/// Deadlines inside the libvirt hypervisor are points of this clock.
using Instant = std::chrono::steady_clock::time_point;

/// Values that arrive one by one. Any thread pushes, any thread takes.
template <class T>
class Inbox {
 public:
  void push(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
  }
  /// All values since the last call, in the order of their arrival.
  [[nodiscard]] std::vector<T> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(values_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> values_;
};

/// What libvirt reports about a domain without being asked.
struct DomainEvent {
  enum class Kind {
    started,
    rebooted,
    restored,  ///< from a file, a snapshot or another host: the same guest continues
    paused,
    resumed,
    stopped,
    job_began,  ///< a migration is under way
    job_ended,
    redefined,  ///< its configuration, devices or metadata changed: read its XML again
  };
  Uuid domain;
  Kind kind{};
  MonotonicTime at{};
};

/// libvirt's event thread pushes, the next sample() takes.
using EventQueue = Inbox<DomainEvent>;

/// An active domain as libvirt lists it.
struct ListedDomain {
  Uuid uuid;
  std::string name;
  int id = 0;  ///< differs from start to start
};

/// A domain as libvirt describes it.
struct DomainXml {
  std::string live;
  /// The element with memcoord's settings in the configuration for the next start. Empty: the
  /// configuration has no such element. None: the domain is transient.
  std::optional<std::string> configured_settings;
  /// The nodes that libvirt chose for the domain's memory (placement='auto'); else empty.
  std::string placed_on = {};
};

/// The answer of a statistics call about one domain.
struct DomainRecord {
  Uuid uuid;
  std::optional<DomainState> state;  ///< none: not queried yet
  std::optional<MemorySize> actual;  ///< none: the driver's bulk calls do not report it
  std::optional<MemorySize> maximum;
  std::optional<MemorySize> rss;  ///< none: not reported; see DriverTraits::always_reports_rss
  GuestStatistics guest;          ///< without its period, which the domain's XML has
};

/// Whether a domain's monitor answers: virDomainGetControlInfo(). The call takes no job, and the
/// daemon serves it even while all of its ordinary workers are stuck.
struct ControlState {
  enum class Kind {
    ok,
    in_job,    ///< a job runs, no monitor command is in flight
    occupied,  ///< a monitor command is in flight
    broken,    ///< the monitor cannot be used any more
  };
  Kind kind = Kind::ok;
  Duration since{};  ///< how long it has been in this state
};

/// The host as libvirt reports it. None: the driver does not report the figure.
struct HostRecord {
  MemorySize total;
  std::optional<MemorySize> free;
  MemorySize buffers;
  MemorySize cached;
  std::optional<std::uint64_t> merged_pages;  ///< pages that KSM saves; none on this machine
  std::vector<NumaCell> cells;
};

/// How one of libvirt's drivers differs from the others. The connection alone knows drivers by
/// name; all other code reads these answers.
struct DriverTraits {
  /// Every answer about a running domain contains rss, except while another call holds the domain's
  /// job. An answer without rss then lacks the guest's statistics as well.
  bool always_reports_rss = false;
  /// GuestStatistics::last_update says when the guest reported. libvirt's test driver stamps its
  /// fixed figures with a day of 1989.
  bool stamps_reports = true;
  /// Each start of a domain has an id that no other start has had. VirtualBox's ids are places in a
  /// list.
  bool ids_are_unique = false;
  /// A guest reports at once when its statistics period goes from 0 to another.
  bool reports_on_demand = false;
};

/// From this size on libvirt's calls for a single domain overflow: they count KiB in an int.
inline constexpr MemorySize kSingleCallsOverflow = MemorySize::from_gib(2048);

/// One connection. Only the thread that opened it uses it.
class Connection {
 public:
  virtual ~Connection() = default;
  /// False once the connection is lost; it stays false.
  [[nodiscard]] virtual bool alive() const = 0;
  [[nodiscard]] virtual DriverTraits driver() const = 0;
  /// libvirt refuses changes on this connection.
  [[nodiscard]] virtual bool read_only() const = 0;

  virtual LibvirtResult<std::vector<ListedDomain>> list_active() = 0;
  virtual LibvirtResult<DomainXml> domain_xml(const Uuid& domain) = 0;
  virtual LibvirtResult<HostRecord> host() = 0;
  virtual LibvirtResult<ControlState> control_state(const Uuid& domain) = 0;

  /// One call for several domains. The answer leaves out domains that are gone.
  virtual LibvirtResult<std::vector<DomainRecord>> bulk_statistics(
      std::span<const Uuid> domains) = 0;
  /// Queries what a domain's record lacks: its balloon figures, and its state where none is known.
  virtual LibvirtStatus complete(DomainRecord& record) = 0;
  /// The size that a domain's balloon leaves the domain now; none: the driver does not report it.
  /// bulk_statistics() has the size that QEMU last announced, which it does once a second at most.
  virtual LibvirtResult<std::optional<MemorySize>> balloon(const Uuid& domain) = 0;
  /// Whether a job is under way that makes balloon changes wait: migration, save, dump, restore,
  /// snapshot. Backups and block jobs let balloon changes through.
  virtual LibvirtResult<bool> in_long_job(const Uuid& domain) = 0;
  /// Changes the running domain alone. The configuration for the next start stays as it is.
  virtual LibvirtStatus set_memory(const Uuid& domain, MemorySize target) = 0;
  /// The running domain's statistics period; 0: it does not report.
  virtual LibvirtResult<std::chrono::seconds> period(const Uuid& domain) = 0;
  /// Changes the period of the running domain alone.
  virtual LibvirtStatus set_period(const Uuid& domain, std::chrono::seconds period) = 0;
};

/// Opens connections. Any thread may call it, also several at once.
class Connector {
 public:
  virtual ~Connector() = default;
  /// Called by the thread that will use the connection.
  virtual LibvirtResult<std::unique_ptr<Connection>> connect() = 0;
};

/// A worker's connection as a job sees it.
struct WorkerConnection {
  Connection* connection = nullptr;  ///< never null; valid until the job returns
  std::uint64_t generation = 0;      ///< counts the connections that the worker has opened
};

}  // namespace memcoord::libvirt
