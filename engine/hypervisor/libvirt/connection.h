#pragma once
// The calls that memcoord makes of libvirt, as an interface: one real implementation
// (native_connection.h) and a fake in the tests that hangs, slows and breaks at will. Every call
// may block for as long as libvirt does; lanes (lane_pool.h) see to it that nobody waits for that.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/hypervisor/libvirt/lv_error.h"

namespace memcoord::libvirt {

/// An active domain as the daemon lists it.
struct ListedDomain {
  Uuid uuid;
  std::string name;
  int id = 0;  ///< changes with every start
};

/// A domain as libvirt describes it.
struct DomainXml {
  std::string live;
  /// The element with memcoord's settings in what is configured for the next start, empty where
  /// there is none; none at all where the domain is transient.
  std::optional<std::string> configured_settings;
  /// The nodes that libvirt has chosen for its memory, where it chooses them (placement='auto').
  std::string placed_on = {};
};

/// What a statistics call says of one domain.
struct DomainRecord {
  Uuid uuid;
  std::optional<DomainState> state;  ///< none: not asked yet
  std::optional<MemorySize> actual;  ///< none: the driver does not answer bulk calls with it
  std::optional<MemorySize> maximum;
  std::optional<MemorySize> rss;  ///< none: the daemon could not get at the domain just now
  GuestStatistics guest;          ///< its period is not known here
};

/// Whether a domain's monitor answers, as virDomainGetControlInfo has it; costs no job and is
/// served even where all ordinary workers of the daemon are stuck.
struct ControlState {
  enum class Kind {
    ok,
    in_job,    ///< a job runs, no monitor command is in flight
    occupied,  ///< a monitor command is in flight
    broken,    ///< the monitor cannot be used any more
  };
  Kind kind = Kind::ok;
  Duration since{};  ///< how long it has been so
};

/// The host as libvirt knows it; what a driver does not tell is none.
struct HostRecord {
  MemorySize total;
  std::optional<MemorySize> free;
  MemorySize buffers;
  MemorySize cached;
  std::optional<std::uint64_t> merged_pages;  ///< that KSM saves
  std::vector<NumaCell> cells;
};

/// From here on libvirt's calls for a single domain overflow: they count KiB in an int.
inline constexpr MemorySize kSingleCallsOverflow = MemorySize::from_gib(2048);

/// One connection, for the use of one thread alone.
class Connection {
 public:
  virtual ~Connection() = default;
  /// False once it is lost; it stays so.
  [[nodiscard]] virtual bool alive() const = 0;
  /// The driver as libvirt calls it: "QEMU", "TEST".
  [[nodiscard]] virtual std::string driver() const = 0;
  /// Whether changes are refused on it.
  [[nodiscard]] virtual bool read_only() const = 0;

  virtual LvResult<std::vector<ListedDomain>> list_active() = 0;
  virtual LvResult<DomainXml> domain_xml(const Uuid& domain) = 0;
  virtual LvResult<HostRecord> host() = 0;
  virtual LvResult<ControlState> control_state(const Uuid& domain) = 0;

  /// One call for several domains; those that are gone are missing from the answer.
  virtual LvResult<std::vector<DomainRecord>> bulk_statistics(std::span<const Uuid> domains) = 0;
  /// What is missing of one domain's record: its balloon figures, its state where that is not
  /// known.
  virtual LvStatus complete(DomainRecord& record) = 0;
  /// The size that a domain's balloon leaves it at this moment; none where the driver does not
  /// tell. In bulk_statistics() it is what QEMU last gave word of, which it does once a second at
  /// most.
  virtual LvResult<std::optional<MemorySize>> balloon(const Uuid& domain) = 0;
  /// Whether a job is under way that balloon changes wait for: migration, save, dump, restore,
  /// snapshot. A backup lets them through, and so do block jobs.
  virtual LvResult<bool> in_long_job(const Uuid& domain) = 0;
  virtual LvStatus set_memory(const Uuid& domain, MemorySize target) = 0;
  virtual LvStatus set_period(const Uuid& domain, std::chrono::seconds period) = 0;
};

/// Opens connections; called on the thread that will use the connection.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual LvResult<std::unique_ptr<Connection>> connect() = 0;
};

}  // namespace memcoord::libvirt
