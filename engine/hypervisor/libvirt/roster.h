#pragma once
// Who is there: what is known of each active domain from tick to tick, and which of them are in
// trouble. Plain bookkeeping, no calls.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"
#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/domain_xml.h"
#include "engine/hypervisor/libvirt/event_queue.h"

namespace memcoord::libvirt {

/// Why a domain is neither sampled nor moved until its monitor is free again.
struct Trouble {
  ControlState::Kind kind{};  ///< what its monitor was last seen at
  bool hung = false;          ///< it has not answered for long enough to say so
  MonotonicTime since{};
  MonotonicTime noticed_at{};
};

struct KnownDomain {
  std::shared_ptr<const DomainIdentity> identity;
  DomainDescription description;
  bool described = false;         ///< its XML has been read at all
  bool stale = true;              ///< its XML is to be read (again)
  std::uint64_t xml_version = 0;  ///< counts what has made it stale
  /// What was last said of settings that are configured for its next start alone.
  std::string said_of_next_start;
  int id = 0;
  MonotonicTime listed_at{};   ///< when it was last seen to be active
  MonotonicTime renewed_at{};  ///< when it was found, or its XML last marked to be read by renew()
  std::optional<MonotonicTime> started_at;
  std::optional<MonotonicTime> restored_at;
  std::optional<Trouble> trouble;
  bool in_long_job = false;  ///< a migration, save or snapshot was seen under way
  bool paused = false;       ///< said by an event since the last sample
  bool stopped = false;      ///< said by an event since the last listing
  /// The statistics period that the operator had; set where it was changed.
  std::optional<std::chrono::seconds> period_before;
  bool period_in_doubt = false;  ///< it may have been changed: the call was not answered
  bool period_refused = false;
  MonotonicTime sampled_at{};  ///< when figures of it last came
  /// The guest's newest report, when it was first seen, and when its absence was last looked into.
  std::optional<WallTime> last_report;
  MonotonicTime reported_at{};
  MonotonicTime silence_checked_at{};
  /// Since when it has been running without a figure of its headroom, and what is said of that.
  std::optional<MonotonicTime> mute_since;
  std::string mute;
  MemorySize actual;  ///< as last seen
  MemorySize maximum;
  std::optional<MonotonicTime> balloon_moved_at;  ///< told to by us, or since then seen to
};

class Roster {
 public:
  using Domains = std::map<Uuid, KnownDomain>;

  /// The connection that hints name; empty: the default one.
  explicit Roster(std::string uri = {}) : uri_(std::move(uri)) {}

  /// Takes in who is active now. Domains that are new, renamed or started again are to be read;
  /// those that came up while we were watching count as started now.
  void take_listing(const std::vector<ListedDomain>& listed, MonotonicTime now);
  void take_event(const DomainEvent& event);
  /// After a reconnection anything may have changed.
  void mark_all_stale();

  /// libvirt tells nothing when limits and bindings of a running domain change (virsh memtune,
  /// numatune): every domain is read again after so long, a few at each call.
  static constexpr std::chrono::seconds kReadAgainAfter{60};
  void renew(MonotonicTime now);

  /// A domain whose XML must be read, and the version that made it stale.
  struct Stale {
    Uuid uuid;
    std::uint64_t version = 0;
  };
  [[nodiscard]] std::vector<Stale> stale() const;
  /// Takes in a domain's XML, as it was at a version of it; where that is not the present one, it
  /// is still to be read. A complaint about its metadata, once for each wording of it.
  /// `placed_on`: as DomainXml has it.
  std::optional<Note> take_xml(const Stale& of, std::string_view xml,
                               std::string_view placed_on = {});

  /// Takes in what is configured for a running domain's next start (DomainXml). Where that differs
  /// from what is in force, or cannot be used: a word of it, once, with what to type.
  std::optional<Note> take_configured(const Uuid& uuid, const std::optional<std::string>& element);

  /// Takes in a domain's sizes, where they are known; they are shown while it does not answer.
  void take_sizes(const Uuid& uuid, std::optional<MemorySize> actual,
                  std::optional<MemorySize> maximum, MonotonicTime now);
  /// A balloon that we have told to move, or have seen moving since, may still do so for so long.
  static constexpr std::chrono::seconds kBalloonSettles{2};

  /// A guest that has not reported for several periods may have lost its period to somebody: it is
  /// read anew, now and then.
  static constexpr int kSilentPeriods = 3;
  static constexpr std::chrono::seconds kCheckSilenceEvery{10};
  void take_report(const Uuid& uuid, WallTime report, MonotonicTime now);

  /// A guest that runs and has not reported for so long lacks something; after its start it has
  /// time to boot.
  static constexpr std::chrono::seconds kMuteAfter{5};
  static constexpr std::chrono::seconds kMuteAfterStart{60};
  /// Takes in what a running domain's guest reports. Where that is nothing to go by, the domain's
  /// identity says what is missing and how to get it, until that comes.
  void take_statistics(const Uuid& uuid, const GuestStatistics& guest, MonotonicTime now);

  /// A monitor that is stuck for so long is said to be hung; before that the domain is busy.
  static constexpr std::chrono::milliseconds kHungAfter{500};
  /// Leaves a domain out from now on, until take_control_state() finds it free.
  void take_trouble(const Uuid& uuid, const ControlState& state, MonotonicTime now);
  /// How a domain in trouble stood at a moment; says where one that hung is back.
  std::optional<Note> take_control_state(const Uuid& uuid, const ControlState& state,
                                         MonotonicTime at);
  [[nodiscard]] std::vector<Uuid> in_trouble() const;

  [[nodiscard]] KnownDomain* find(const Uuid& uuid);
  [[nodiscard]] const Domains& domains() const { return domains_; }

 private:
  std::string uri_;
  Domains domains_;
  /// Said by events of domains that no listing has shown yet.
  std::map<Uuid, MonotonicTime> restored_;
  bool watching_ = false;
};

}  // namespace memcoord::libvirt
