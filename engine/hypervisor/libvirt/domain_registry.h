#pragma once
// The domain registry: what memcoord knows of each active domain from tick to tick, and which
// domains are unresponsive. Bookkeeping alone: it calls nothing and reads no clock.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/snapshot.h"
#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/domain_configuration.h"

namespace memcoord::libvirt {

/// A domain is unresponsive: memcoord neither samples nor moves it until its monitor is free.
struct Unresponsive {
  ControlState::Kind kind{};  ///< the monitor's last known state
  bool hung = false;          ///< without an answer for kHungAfter, or broken; before that busy
  MonotonicTime since{};
  MonotonicTime noticed_at{};
};

/// One active domain, and what memcoord has learnt of it since its start.
struct KnownDomain {
  std::shared_ptr<const DomainIdentity> identity;
  DomainDescription description;
  bool described = false;         ///< its XML has been read
  bool stale = true;              ///< its XML must be read (again)
  std::uint64_t xml_version = 0;  ///< counts the causes that made it stale
  /// The last note about settings that are configured for its next start alone.
  std::string said_of_next_start;
  int id = 0;
  MonotonicTime listed_at{};   ///< when a listing last contained it
  MonotonicTime renewed_at{};  ///< when it was found, or renew() last made it stale
  std::optional<MonotonicTime> started_at;
  std::optional<MonotonicTime> restored_at;
  std::optional<Unresponsive> unresponsive;
  bool in_long_job = false;      ///< a migration, save or snapshot is under way
  bool paused = false;           ///< by an event since the last listing
  bool stopped = false;          ///< by an event since the last listing
  bool period_was_off = false;   ///< memcoord has set its statistics period, which was 0
  bool period_in_doubt = false;  ///< the call that sets it had no answer
  bool period_refused = false;
  /// The period that it had before a request for a report, which failed midway: it may be 0 now.
  std::optional<std::chrono::seconds> period_to_put_back;
  bool refresh_refused = false;  ///< its guest cannot be asked for a report
  MonotonicTime sampled_at{};    ///< when its figures last arrived
  /// The guest's newest report, when it arrived, when the last query that showed it began, and when
  /// its absence last made the XML stale.
  std::optional<GuestStatistics> last_report;
  MonotonicTime reported_at{};
  MonotonicTime shown_at{};
  MonotonicTime reports_checked_at{};
  /// Domain::reported_after: when the last query began that showed the report before.
  std::optional<MonotonicTime> reported_after;
  /// Since when it has been running without reporting its headroom, and the advice about that.
  std::optional<MonotonicTime> unreported_since;
  std::string statistics_advice;
  MemorySize actual;  ///< last known
  MemorySize maximum;
  /// When memcoord last moved its balloon, or last observed that move.
  std::optional<MonotonicTime> balloon_moved_at;
};

/// One thread owns it. Methods ignore domains that the registry does not know.
class DomainRegistry {
 public:
  using Domains = std::map<Uuid, KnownDomain>;

  /// `uri`: the connection that commands in hints name; empty: the default one.
  explicit DomainRegistry(std::string uri = {}) : uri_(std::move(uri)) {}

  /// Updates the active domains. New and restarted domains become stale. A domain that appears
  /// after the first listing counts as started now, unless an event said otherwise.
  void update_listing(const std::vector<ListedDomain>& listed, MonotonicTime now);
  void update_from_events(const DomainEvent& event);
  /// For a reconnection, after which anything may have changed.
  void mark_all_stale();

  /// libvirt sends no event when limits and bindings of a running domain change (virsh memtune,
  /// numatune). renew() therefore makes every domain stale after this time, a few at each call.
  static constexpr std::chrono::seconds kReadAgainAfter{60};
  void renew(MonotonicTime now);

  /// A stale domain, and the version that made it stale.
  struct Stale {
    Uuid uuid;
    std::uint64_t version = 0;
  };
  [[nodiscard]] std::vector<Stale> stale() const;
  /// Updates a domain by XML that was requested at a version. If the version has changed since, the
  /// domain stays stale. Returns a warning about its metadata, once for each wording. `placed_on`:
  /// DomainXml::placed_on.
  std::optional<Note> update_xml(const Stale& of, std::string_view xml,
                                 std::string_view placed_on = {});

  /// Compares the settings for the next start (DomainXml::configured_settings) with those in force.
  /// Returns a warning with the command to type, once, where they differ or cannot be used.
  std::optional<Note> update_configured(const Uuid& uuid,
                                        const std::optional<std::string>& element);

  /// Updates a domain's sizes, which snapshots show while it does not answer. None: unknown.
  void update_sizes(const Uuid& uuid, std::optional<MemorySize> actual,
                    std::optional<MemorySize> maximum, MonotonicTime now);
  /// How long a balloon may still move after memcoord has set a target, or has last observed a
  /// move.
  static constexpr std::chrono::seconds kBalloonSettles{2};

  /// Where a guest misses this many reports, another tool may have changed its period. Its domain
  /// becomes stale, at most once in kCheckReportsEvery.
  static constexpr int kMissedReports = 3;
  static constexpr std::chrono::seconds kCheckReportsEvery{10};
  /// `asked_at`: when the query began that showed the report.
  void update_report(const Uuid& uuid, const GuestStatistics& report, MonotonicTime asked_at,
                     MonotonicTime now);

  /// A running guest that has not reported for this long lacks a driver or a period. After a start
  /// it has time to boot.
  static constexpr std::chrono::seconds kUnreportedAfter{5};
  static constexpr std::chrono::seconds kUnreportedAfterStart{60};
  /// Updates what a running domain's guest reports. While it reports no headroom, the domain's
  /// identity says what is missing and how to get it.
  void update_statistics(const Uuid& uuid, const GuestStatistics& guest, MonotonicTime now);

  /// A monitor that is stuck for this long is hung; before that the domain is busy.
  static constexpr std::chrono::milliseconds kHungAfter{500};
  /// Marks a domain as unresponsive until update_control_state() finds its monitor free.
  void mark_unresponsive(const Uuid& uuid, const ControlState& state, MonotonicTime now);
  /// Updates an unresponsive domain by the state of its monitor, queried at `at`. Returns a note
  /// when a hung domain answers again.
  std::optional<Note> update_control_state(const Uuid& uuid, const ControlState& state,
                                           MonotonicTime at);
  [[nodiscard]] std::vector<Uuid> unresponsive() const;

  /// Null: unknown. Valid until the next update_listing().
  [[nodiscard]] KnownDomain* find(const Uuid& uuid);
  [[nodiscard]] const Domains& domains() const { return domains_; }

 private:
  std::string uri_;
  Domains domains_;
  /// Restores of domains that no listing has contained yet.
  std::map<Uuid, MonotonicTime> restored_;
  bool watching_ = false;  ///< there has been a listing
};

}  // namespace memcoord::libvirt
