#pragma once
// The libvirt hypervisor. Its connectors open connections to libvirt, or to a fake daemon in tests.
// worker_hypervisor.cpp samples, worker_hypervisor_queries.cpp queries the daemon about all domains
// in turn, worker_hypervisor_changes.cpp moves balloons, worker_hypervisor_periods.cpp sets
// statistics periods and has guests report at once.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/hypervisor/libvirt/connection_workers.h"
#include "engine/hypervisor/libvirt/domain_registry.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

namespace memcoord::libvirt {

/// Pauses between tries to connect. They double from the shortest to the longest. Each is extended
/// by up to a quarter, so that many clients do not come back at once.
class Backoff {
 public:
  using Pause = std::chrono::steady_clock::duration;
  /// `jitter` returns a number within 0..1.
  Backoff(Pause shortest, Pause longest, std::function<double()> jitter)
      : shortest_(shortest), longest_(longest), jitter_(std::move(jitter)), next_(shortest) {}

  /// The pause before the next try.
  Pause next() {
    const Pause pause = next_;
    next_ = std::min(longest_, next_ * 2);
    const double extension = static_cast<double>(pause.count()) * 0.25 * jitter_();
    return pause + Pause(static_cast<Pause::rep>(extension));
  }
  void reset() { next_ = shortest_; }

 private:
  Pause shortest_;
  Pause longest_;
  std::function<double()> jitter_;
  Pause next_;
};

/// The machine's clock, in the unit of snapshots.
MonotonicTime monotonic_now();

/// What a WorkerHypervisor consists of.
struct WorkerHypervisorParts {
  std::string uri;
  bool local = true;                   ///< the host is this machine
  std::shared_ptr<Connector> control;  ///< its connections push events into the queue
  std::shared_ptr<Connector> workers;
  std::shared_ptr<EventQueue> events;  ///< null: no events
  Backoff backoff;
};

/// One thread calls its methods. Each returns by its deadline, whatever libvirt does.
class WorkerHypervisor final : public Hypervisor {
 public:
  WorkerHypervisor(WorkerHypervisorParts parts, LibvirtOptions options);
  ~WorkerHypervisor() override;

  /// Connects and reads every domain once. Errors: those of open_error(), timed_out.
  Status start();

  [[nodiscard]] std::string description() const override { return parts_.uri; }
  Result<Snapshot> sample() override;
  void refresh(std::span<const Uuid> domains, Duration patience) override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Outcome> drain_late_outcomes() override;
  std::vector<Note> drain_notes() override;
  /// The pool's connections, and the two that query the host and the list of domains.
  [[nodiscard]] Connections connections() const override;
  void close() override;

  /// Connection workers that a hung guest holds now.
  [[nodiscard]] std::size_t stuck_workers() const { return pool_.stuck(); }

 private:
  /// The connection and the host. A daemon that answers at all reports them at once.
  struct HostObservation {
    std::uint64_t generation = 0;
    DriverTraits driver;
    bool read_only = false;
    HostRecord host;
  };
  /// The active domains. The daemon delays the list while it starts or stops a domain.
  struct Listing {
    std::uint64_t generation = 0;
    std::vector<ListedDomain> listed;
    MonotonicTime asked_at{};
  };
  struct ReadState {
    Uuid domain;
    LibvirtResult<ControlState> state;
    MonotonicTime asked_at{};
  };
  struct ReadXml {
    DomainRegistry::Stale of;
    LibvirtResult<DomainXml> xml;
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
    /// The domain's id in the first list that was requested after the change was sent. The change
    /// went to this process or to an earlier one.
    std::optional<int> domain_id;
    bool under_way = false;                ///< a late answer may come
    std::optional<MonotonicTime> lost_at;  ///< when its connection was lost
  };
  /// Answers of one sample(), by position.
  struct Sampled {
    std::vector<Uuid> uuids;
    std::vector<TaskAnswer> answers;
    MonotonicTime asked_at{};
  };

  // worker_hypervisor.cpp
  Status observe_host(Instant deadline);
  Error went_down(const LibvirtError& error);
  Error no_answer_from_daemon() const;
  void came_back(std::uint64_t generation);
  void update_from_events();
  Sampled sample_domains(Instant deadline);
  void ask_again(Sampled& sampled, Instant deadline);
  void take_answers(const Sampled& sampled);
  void note_unresponsive(const Sampled& sampled, Instant deadline);
  bool lacks_guest(const TaskAnswer& answer) const;
  Snapshot make_snapshot(const Sampled& sampled);
  Domain make_domain(const KnownDomain& known, const TaskAnswer* answer, WallTime now) const;

  // worker_hypervisor_queries.cpp
  bool observe_domains(Instant deadline);
  bool update_listings();
  void update_states();
  void note_listing(bool came);
  std::vector<std::optional<ControlState>> control_states(const std::vector<Uuid>& domains,
                                                          Instant deadline);
  void read_stale(Instant deadline);
  void update_texts();
  void check_long_jobs(Instant deadline);

  // worker_hypervisor_changes.cpp
  std::optional<Outcome> refuse(const Move& move);
  std::optional<Outcome> refuse_open(const Move& move, const std::string& name);
  Outcome make_outcome(const Move& move, const DomainTask& task, const TaskAnswer& answer);
  Outcome leave_open(const Move& move, const DomainTask& task, const TaskAnswer& answer);
  std::optional<Outcome> settle(OpenChange& change, const TaskAnswer& answer);
  void note_hung(std::vector<Outcome>& outcomes, const std::vector<std::size_t>& hung,
                 Instant deadline);

  // worker_hypervisor_periods.cpp
  void set_periods(const Sampled& sampled, Instant deadline);
  void take_period_answer(KnownDomain& known, const TaskAnswer& answer);
  void restore_periods(Instant deadline);
  bool serves_refresh();
  bool can_be_asked(const KnownDomain* known) const;
  void see_reports_since_moves(std::span<const Uuid> domains, Instant deadline);
  bool take_refresh_answer(KnownDomain& known, const TaskAnswer& answer);
  void refuse_refresh(KnownDomain& known, const LibvirtError& error);

  WorkerHypervisorParts parts_;
  LibvirtOptions options_;
  QueryWorker host_;     ///< for questions that the daemon answers whatever its domains do
  QueryWorker control_;  ///< for questions that a domain may delay
  WorkerPool pool_;
  DomainRegistry registry_;
  HostObservation last_observation_;
  /// This machine's files had the host's figures in the last snapshot. The list of domains alone
  /// then shows that the daemon answers.
  bool host_is_read_here_ = false;
  std::uint64_t control_generation_ = 0;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  // The last domain of each round of questions. The next round begins after it.
  Uuid last_read_;
  Uuid last_unresponsive_;
  Uuid last_suspect_;
  Uuid last_in_job_;
  std::map<Uuid, OpenChange> open_changes_;
  std::uint64_t calls_ = 0;               ///< balloon changes sent so far
  std::uint64_t refresh_refused_in_ = 0;  ///< the connection whose guests cannot be asked
  std::vector<Note> notes_;
  std::optional<Instant> down_since_;
  Instant next_try_;
  std::optional<Instant> listing_missing_since_;
  bool missing_listing_noted_ = false;
  std::string down_reason_;
  bool closed_ = false;
};

}  // namespace memcoord::libvirt
