#pragma once
// The libvirt hypervisor itself, on whatever opens its connections: libvirt, or a fake in the
// tests.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/hypervisor/libvirt/backoff.h"
#include "engine/hypervisor/libvirt/event_queue.h"
#include "engine/hypervisor/libvirt/lane_pool.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "engine/hypervisor/libvirt/question_lane.h"
#include "engine/hypervisor/libvirt/roster.h"

namespace memcoord::libvirt {

/// The machine's clock, as snapshots and the roster have it.
MonotonicTime monotonic_now();

/// What a LaneHypervisor is made of.
struct LaneHypervisorParts {
  std::string uri;
  bool local = true;                   ///< the host is this machine
  std::shared_ptr<Connector> control;  ///< its connection puts events into the queue
  std::shared_ptr<Connector> lanes;
  std::shared_ptr<EventQueue> events;
  Backoff backoff;
};

class LaneHypervisor final : public Hypervisor {
 public:
  LaneHypervisor(LaneHypervisorParts parts, LibvirtOptions options);
  ~LaneHypervisor() override;

  /// Connects and reads every domain once. Errors: those of open_error(), timed_out.
  Status start();

  [[nodiscard]] std::string description() const override { return parts_.uri; }
  Result<Snapshot> sample() override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Outcome> take_late_outcomes() override;
  std::vector<Note> take_notes() override;
  void close() override;

  /// Lanes that a hung guest holds at this moment.
  [[nodiscard]] std::size_t stuck_lanes() const { return pool_.stuck(); }

 private:
  /// The connection itself, and the host: told at once by a daemon that answers at all.
  struct HostLook {
    std::uint64_t generation = 0;
    std::string driver;
    bool read_only = false;
    HostRecord host;
  };
  /// Who is there. The daemon waits with this for any domain that it is starting or stopping.
  struct Listing {
    std::uint64_t generation = 0;
    std::vector<ListedDomain> listed;
    MonotonicTime asked_at{};
  };
  struct ReadState {
    Uuid domain;
    LvResult<ControlState> state;
    MonotonicTime asked_at{};
  };
  struct ReadXml {
    Roster::Stale of;
    LvResult<DomainXml> xml;
  };
  /// Answers of the control connection. sample() uses those that arrive by its deadline; the next
  /// sample() uses the rest.
  struct Answers {
    Inbox<Listing> listings;
    Inbox<ReadState> states;
    Inbox<ReadXml> texts;
  };
  /// A balloon change that was sent and may still be carried out.
  struct OpenChange {
    std::uint64_t call = 0;
    Move move;
    MonotonicTime sent_at{};
    /// The domain's id in the first list that was asked for after that: it had been sent to this
    /// process or to one before.
    std::optional<int> domain_id;
    bool under_way = false;                ///< a late answer may come
    std::optional<MonotonicTime> lost_at;  ///< when its connection was lost
  };
  struct Sampled {
    std::vector<Uuid> uuids;
    std::vector<TaskAnswer> answers;
  };

  Status look_at_host(Instant deadline);
  bool look_at_domains(Instant deadline);
  bool take_listings();
  void take_states();
  void take_texts();
  std::vector<std::optional<ControlState>> control_states(const std::vector<Uuid>& domains,
                                                          Instant deadline);
  Error went_down(const LvError& error);
  Error daemon_is_silent() const;
  void came_back(std::uint64_t generation);
  void listing_came(bool came);
  void take_events();
  void read_stale(Instant deadline);
  Sampled sample_domains(Instant deadline);
  void ask_again(Sampled& sampled, Instant deadline);
  void note_trouble(const Sampled& sampled, Instant deadline);
  void check_long_jobs(Instant deadline);
  void set_periods(const Sampled& sampled, Instant deadline);
  bool wants_other_period(const KnownDomain& known) const;
  void say_shortened(const std::vector<std::string>& domains);
  void restore_periods(Instant deadline);
  Snapshot make_snapshot(const Sampled& sampled) const;
  Domain make_domain(const KnownDomain& known, const TaskAnswer* answer, WallTime now) const;
  void note_hung(std::vector<Outcome>& outcomes, const std::vector<std::size_t>& hung,
                 Instant deadline);
  Outcome make_outcome(const Move& move, const DomainTask& task, const TaskAnswer& answer);
  Outcome leave_open(const Move& move, const DomainTask& task, const TaskAnswer& answer);
  std::optional<Outcome> settle(OpenChange& change, const TaskAnswer& answer);
  std::optional<Outcome> refuse(const Move& move);
  std::optional<Outcome> refuse_open(const Move& move, const std::string& name);

  LaneHypervisorParts parts_;
  LibvirtOptions options_;
  QuestionLane host_;     ///< for what the daemon answers whatever its domains are at
  QuestionLane control_;  ///< for what it answers once no domain holds it up
  LanePool pool_;
  Roster roster_;
  HostLook last_look_;
  std::uint64_t control_generation_ = 0;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  // The domain asked last in each round of questions; the next round begins after it.
  Uuid last_read_;
  Uuid last_in_trouble_;
  Uuid last_suspect_;
  Uuid last_in_job_;
  std::map<Uuid, OpenChange> open_changes_;
  std::uint64_t calls_ = 0;  ///< balloon changes sent so far
  std::vector<Note> notes_;
  std::optional<Instant> down_since_;
  Instant next_try_;
  std::optional<Instant> listing_held_since_;
  bool listing_held_said_ = false;
  std::string down_reason_;
  bool closed_ = false;
};

}  // namespace memcoord::libvirt
