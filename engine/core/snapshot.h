#pragma once
// One sample of the host and its domains: plain values, in libvirt's terms. Figures that a guest
// may not report are optional. Nothing here refers back to a connection.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/core/uuid.h"

namespace memcoord {

/// One NUMA cell of the host.
struct NumaCell {
  int id = 0;
  MemorySize total;
  MemorySize free;                           ///< page cache not counted
  std::optional<MemorySize> available = {};  ///< with its part of the page cache, where known
  bool operator==(const NumaCell&) const = default;
};

/// Nodes (cells) of the host, in rising order.
using NodeSet = std::vector<int>;
/// In libvirt's notation: "0-2,5".
std::string to_text(const NodeSet& nodes);
/// Whether all of `part` is in `whole`.
bool includes(const NodeSet& whole, const NodeSet& part);

/// A part of a domain's memory that the host allocates only on some of its nodes.
struct NodeBinding {
  NodeSet nodes;
  std::optional<MemorySize> size = {};  ///< of the guest's cells that are bound; none: all memory
  bool operator==(const NodeBinding&) const = default;
};

/// The host's memory.
struct Host {
  MemorySize total;
  MemorySize free;                      ///< MemFree: page cache not counted
  std::optional<MemorySize> available;  ///< MemAvailable, or an estimate of it
  bool available_is_estimate = false;
  MemorySize buffers;
  MemorySize cached;
  std::optional<MemorySize> swap_free;
  MemorySize page_size = MemorySize::from_kib(4);
  /// What merging of equal pages (KSM) saves. Any write can undo it.
  MemorySize merged;
  std::vector<NumaCell> cells;
  bool operator==(const Host&) const = default;
};

/// The operator's settings for one domain: from libvirt metadata, a scenario, or options.
struct DomainSettings {
  std::optional<MemorySize> minimum;  ///< no target under it
  std::optional<MemorySize> maximum;  ///< no target over it (the domain's own maximum holds too)
  double weight = 1.0;                ///< its part where memory is shared out; over 0
  int priority = 0;                   ///< policies that use it serve higher ones first
  bool exclude = false;               ///< memcoord never moves its balloon
  std::map<std::string, std::string> labels;
  bool operator==(const DomainSettings&) const = default;
};

/// Where a domain's memory comes from, and whether a balloon gives it back to the host.
struct MemoryBacking {
  enum class Kind {
    ballooned,  ///< from the ordinary pool, as much as the balloon leaves
    pinned,     ///< from the ordinary pool, all of it whatever the balloon leaves (locked, VFIO)
    hidden,     ///< pinned, and not part of rss (private memory of SEV-SNP and TDX guests)
  };
  Kind kind = Kind::ballooned;
  bool shared = false;          ///< shared memory (memfd, file): the host counts it as page cache
  bool hugepages = false;       ///< from the pool of hugepages
  MemorySize beside_hugepages;  ///< the part of a hugepage guest that the ordinary pool provides
  MemorySize unplugged;         ///< the part of the maximum that virtio-mem has not plugged in
  bool operator==(const MemoryBacking&) const = default;
};

/// The part of a domain that stays the same from tick to tick. Snapshots share it; a change (a
/// rename, new metadata) replaces it whole.
struct DomainIdentity {
  Uuid uuid;
  std::string name;
  DomainSettings settings;
  /// Why a balloon cannot serve this domain (no balloon device, VFIO, hugepages, ...), one clause;
  /// empty where it can.
  std::string unsuitable;
  MemoryBacking backing = {};
  /// The cgroup's limit (<memtune>): the kernel kills a QEMU process that passes it.
  std::optional<MemorySize> hard_limit = {};
  /// Strict NUMA binding (<numatune>); empty where its memory may come from any node.
  std::vector<NodeBinding> bound_to = {};
  bool operator==(const DomainIdentity&) const = default;
};

/// A domain's state; the guard moves only running domains.
enum class DomainState { running, paused, shutting_down, shut_off, crashed, migrating, busy, hung };

/// The report of a guest's balloon driver. Counters count since the guest's boot.
struct GuestStatistics {
  std::optional<MemorySize> available;  ///< what the guest's kernel sees as total (MemTotal)
  std::optional<MemorySize> unused;     ///< MemFree: page cache not counted
  std::optional<MemorySize> usable;     ///< MemAvailable: without swapping
  std::optional<MemorySize> disk_caches;
  std::optional<MemorySize> swap_in;          ///< counter
  std::optional<MemorySize> swap_out;         ///< counter
  std::optional<std::uint64_t> major_faults;  ///< counter
  std::optional<std::uint64_t> minor_faults;  ///< counter
  std::optional<WallTime> last_update;        ///< none: the guest has never reported
  Duration period{};                          ///< how often it reports; zero where it does not
  bool operator==(const GuestStatistics&) const = default;
};

/// A balloon holds whole pages of this size, whatever the guest's page size.
inline constexpr MemorySize kBalloonPage = MemorySize::from_kib(4);
/// The largest page of a guest's kernel (arm64, POWER). Its balloon moves by whole pages of that
/// size.
inline constexpr MemorySize kLargestGuestPage = MemorySize::from_kib(64);

/// One domain at the time of the snapshot.
struct Domain {
  std::shared_ptr<const DomainIdentity> identity;
  DomainState state = DomainState::running;
  MemorySize actual;              ///< the balloon's current size
  MemorySize maximum;             ///< no target may pass it
  std::optional<MemorySize> rss;  ///< host memory that its process holds
  GuestStatistics guest;
  /// When it was started or rebooted, if an event has reported that; its grace begins then.
  std::optional<MonotonicTime> started_at;
  /// When it was last restored from a file or a snapshot, if an event has reported that. Its
  /// counters may then fall, and its balloon has the saved size.
  std::optional<MonotonicTime> restored_at = {};
  /// A moment after which the guest has surely made the report in `guest`, where the hypervisor
  /// knows one: its answer at that moment showed another report.
  std::optional<MonotonicTime> reported_after = {};
  /// Its balloon may deflate by itself when the guest runs short (autodeflate).
  bool deflates_by_itself = false;
  /// Its guest returns the pages that it frees to the host by itself (free page reporting).
  bool free_page_reporting = false;
  /// libvirt's ID: another one after every start. 0 where the hypervisor has none.
  int id = 0;

  [[nodiscard]] const Uuid& uuid() const { return identity->uuid; }
  [[nodiscard]] const std::string& name() const { return identity->name; }
  [[nodiscard]] const DomainSettings& settings() const { return identity->settings; }
};

/// Memory that the host holds for a guest that is about to start (reserve_book.h).
struct Reserve {
  std::string name;               ///< the domain's
  std::optional<Uuid> uuid = {};  ///< none: the name alone decides
  MemorySize size;                ///< the guest's memory and its QEMU's
  WallTime since{};               ///< when it was asked for
  MonotonicTime until{};          ///< it ends then at the latest
  bool operator==(const Reserve&) const = default;
};
/// Whether the reserve is for this domain.
bool is_for(const Reserve& reserve, const Domain& domain);

/// One sample of the host and all its active domains. Domains are in name order (then UUID).
struct Snapshot {
  MonotonicTime taken_at{};
  WallTime wall_time{};
  Host host;
  std::vector<Domain> domains;
  std::vector<Reserve> reserves = {};  ///< in force at that time, the oldest first

  /// A linear search: for a single lookup, not for a lookup per domain.
  [[nodiscard]] const Domain* find(const Uuid& uuid) const;
  /// The same, searched outwards from a place: the domain's place in a snapshot one tick earlier or
  /// later. That is fast for a lookup per domain, unless many domains come or go at once.
  [[nodiscard]] const Domain* find_near(std::size_t place, const Uuid& uuid) const;
  /// The wall clock's time at a moment near the snapshot's, by the snapshot's own pair of times.
  [[nodiscard]] WallTime wall_time_at(MonotonicTime moment) const;
};

/// Which figures the floors and policies use.
enum class Headroom {
  larger,  ///< the larger of the two below
  unused,  ///< a domain's unused, the host's free
  usable,  ///< a domain's usable (else unused), the host's available (else free)
};
inline constexpr int kHeadroomCount = 3;

/// Which of the two figures counts by this choice: Headroom::unused or Headroom::usable.
inline Headroom counted(const Domain& domain, Headroom kind) {
  const GuestStatistics& guest = domain.guest;
  if (kind == Headroom::unused || !guest.usable) return Headroom::unused;
  // An optional without a value is less than any value.
  const bool counts = kind == Headroom::usable || guest.usable > guest.unused;
  return counts ? Headroom::usable : Headroom::unused;
}
Headroom counted(const Host& host, Headroom kind);
/// The domain's headroom in the chosen figure; none where the guest does not report it.
inline std::optional<MemorySize> headroom_of(const Domain& domain, Headroom kind) {
  return counted(domain, kind) == Headroom::usable ? domain.guest.usable : domain.guest.unused;
}
/// The host's free memory in the chosen figure.
MemorySize host_headroom(const Host& host, Headroom kind);
/// A node's free memory in the chosen figure; its free where what is available is not known.
MemorySize cell_headroom(const NumaCell& cell, Headroom kind);

/// What the host can use at once, whatever figure the floors use: page cache included.
MemorySize obtainable(const Host& host);

/// The part of a domain's memory that comes from the ordinary pool when its balloon has this size,
/// QEMU's own memory aside.
inline MemorySize ordinary_memory(const Domain& domain, MemorySize balloon) {
  const MemoryBacking& backing = domain.identity->backing;
  if (backing.hugepages) return backing.beside_hugepages;
  const bool stays = backing.kind != MemoryBacking::Kind::ballooned;
  return stays ? std::max(domain.maximum - backing.unplugged, balloon) : balloon;
}
/// The same, as far as rss shows it once the guest has touched all of it.
inline MemorySize memory_in_rss(const Domain& domain, MemorySize balloon) {
  const bool hidden = domain.identity->backing.kind == MemoryBacking::Kind::hidden;
  return hidden ? MemorySize() : ordinary_memory(domain, balloon);
}

std::string_view to_text(DomainState state);
std::string_view to_text(Headroom kind);
std::string_view to_text(MemoryBacking::Kind kind);

}  // namespace memcoord
