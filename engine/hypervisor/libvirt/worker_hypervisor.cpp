#include "engine/hypervisor/libvirt/worker_hypervisor.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/host_memory.h"
#include "engine/hypervisor/libvirt/native_connection.h"

namespace memcoord::libvirt {
namespace {

using std::chrono::steady_clock;

/// Long enough for another tool's statistics call to end.
constexpr std::chrono::milliseconds kAskAgainAfter{15};

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

bool balloon_may_move(const KnownDomain& known, MonotonicTime now) {
  return known.balloon_moved_at && now - *known.balloon_moved_at < DomainRegistry::kBalloonSettles;
}

/// On this machine memcoord tries to connect in every tick: a refused connection costs less than a
/// millisecond.
Backoff backoff_for(const ConnectionUri& uri) {
  using namespace std::chrono_literals;
  if (uri.is_local()) return {200ms, 500ms, [] { return 0.0; }};
  auto engine = std::make_shared<std::minstd_rand>(std::random_device{}());
  return {1s, 30s, [engine] { return std::uniform_real_distribution<>(0, 1)(*engine); }};
}

}  // namespace

std::string default_uri() {
  const char* set = std::getenv("LIBVIRT_DEFAULT_URI");
  return set == nullptr || *set == '\0' ? "qemu:///system" : set;
}

Result<std::unique_ptr<Hypervisor>> open(const std::string& uri, const LibvirtOptions& options) {
  const Result<ConnectionUri> parsed = parse_uri(uri);
  if (!parsed) return fail(parsed.error());
  const auto events = std::make_shared<EventQueue>();
  NativeConnectors connectors = native_connectors(uri, *parsed, options.access, events);
  WorkerHypervisorParts parts{
      uri,    parsed->is_local(),  std::move(connectors.control), std::move(connectors.workers),
      events, backoff_for(*parsed)};
  auto hypervisor = std::make_unique<WorkerHypervisor>(std::move(parts), options);
  if (const Status started = hypervisor->start(); !started) return fail(started.error());
  return hypervisor;
}

MonotonicTime monotonic_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(steady_clock::now());
}

WorkerHypervisor::WorkerHypervisor(WorkerHypervisorParts parts, LibvirtOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      host_(parts_.workers),
      control_(parts_.control),
      pool_(parts_.workers, options_.connections,
            [this](const std::vector<Uuid>& domains, Instant deadline) {
              return control_states(domains, deadline);
            }),
      registry_(parts_.uri == default_uri() ? std::string() : parts_.uri),
      next_try_(steady_clock::now()) {}

WorkerHypervisor::~WorkerHypervisor() {
  close();
}

Status WorkerHypervisor::start() {
  const Instant deadline = steady_clock::now() + options_.open_deadline;
  if (const Status observed = observe_host(deadline); !observed) return fail(observed.error());
  if (!observe_domains(deadline)) return fail(no_answer_from_daemon());
  read_stale(deadline);
  return {};
}

Result<Snapshot> WorkerHypervisor::sample() {
  const Instant now = steady_clock::now();
  if (closed_) return fail(ErrorCode::unavailable, parts_.uri, "the connection has been closed");
  if (down_since_ && now < next_try_) {
    return fail(ErrorCode::unavailable, parts_.uri, "not connected: " + down_reason_,
                "memcoord keeps trying to connect");
  }
  const Instant deadline = now + options_.deadline;
  const bool asks_host = down_since_ || !host_is_read_here_;
  if (asks_host) {
    if (const Status observed = observe_host(deadline); !observed) return fail(observed.error());
  }
  update_from_events();
  // Without a new list memcoord serves the domains that it knows.
  const std::uint64_t generation = control_generation_;
  const bool listed = observe_domains(now + options_.deadline / 4);
  if (!asks_host && (!listed || control_generation_ != generation)) {
    if (const Status observed = observe_host(deadline); !observed) return fail(observed.error());
  }
  note_listing(listed);
  registry_.renew(monotonic_now());
  if (listed) read_stale(now + options_.deadline / 2);
  const Sampled sampled = sample_domains(deadline);
  note_unresponsive(sampled, deadline);
  check_long_jobs(deadline);
  set_periods(sampled, deadline);
  return make_snapshot(sampled);
}

Status WorkerHypervisor::observe_host(Instant deadline) {
  const auto question =
      [](const LibvirtResult<WorkerConnection>& worker) -> LibvirtResult<HostObservation> {
    if (!worker) return tl::unexpected(worker.error());
    Connection& connection = *worker->connection;
    auto host = connection.host();
    if (!host) return tl::unexpected(host.error());
    return HostObservation{worker->generation, connection.driver(), connection.read_only(),
                           *std::move(host)};
  };
  auto observed = host_.ask(deadline, question);
  // The connection may have died unnoticed; the worker opens another for the second question.
  if (observed && !*observed && lost_connection(observed->error()) && !down_since_) {
    observed = host_.ask(deadline, question);
  }
  if (!observed) return fail(no_answer_from_daemon());
  if (!*observed && last_observation_.generation == 0) {
    return fail(open_error(observed->error(), parts_.uri));
  }
  if (!*observed) return fail(went_down(observed->error()));
  came_back((*observed)->generation);
  last_observation_ = **std::move(observed);
  return {};
}

Error WorkerHypervisor::went_down(const LibvirtError& error) {
  const Error reason = open_error(error, parts_.uri);
  if (!down_since_) {
    down_since_ = steady_clock::now();
    notes_.push_back({Note::Severity::warning,
                      fmt::format("{}: connection lost: {}; memcoord keeps trying to connect",
                                  parts_.uri, reason.message)});
  }
  down_reason_ = reason.message;
  next_try_ = steady_clock::now() + parts_.backoff.next();
  return {ErrorCode::unavailable,
          parts_.uri,
          "not connected: " + reason.message,
          "memcoord keeps trying to connect",
          {}};
}

Error WorkerHypervisor::no_answer_from_daemon() const {
  const auto unanswered = std::chrono::duration_cast<std::chrono::seconds>(host_.unanswered_for());
  return {ErrorCode::timed_out,
          parts_.uri,
          unanswered.count() < 1
              ? "the libvirt daemon does not answer in time"
              : fmt::format("the libvirt daemon has not answered for {} s", unanswered.count()),
          {},
          {}};
}

void WorkerHypervisor::came_back(std::uint64_t generation) {
  const bool reopened =
      last_observation_.generation != 0 && generation != last_observation_.generation;
  if (!down_since_ && !reopened) return;
  const auto lost = down_since_ ? steady_clock::now() - *down_since_ : Backoff::Pause{};
  notes_.push_back({Note::Severity::info,
                    fmt::format("{}: connected again, after {} s", parts_.uri,
                                std::chrono::duration_cast<std::chrono::seconds>(lost).count())});
  registry_.mark_all_stale();
  parts_.backoff.reset();
  down_since_.reset();
}

void WorkerHypervisor::update_from_events() {
  if (!parts_.events) return;
  for (const DomainEvent& event : parts_.events->take()) registry_.update_from_events(event);
}

WorkerHypervisor::Sampled WorkerHypervisor::sample_domains(Instant deadline) {
  Sampled sampled;
  std::vector<const KnownDomain*> served;
  for (const auto& [uuid, known] : registry_.domains()) {
    if (known.unresponsive) continue;
    sampled.uuids.push_back(uuid);
    served.push_back(&known);
  }
  // Where time is too short for all, the domains that have waited longest come first.
  std::vector<std::size_t> in_turn(served.size());
  std::iota(in_turn.begin(), in_turn.end(), std::size_t{0});
  std::stable_sort(in_turn.begin(), in_turn.end(), [&](std::size_t a, std::size_t b) {
    return served[a]->sampled_at < served[b]->sampled_at;
  });
  std::vector<DomainTask> tasks;
  const MonotonicTime before = monotonic_now();
  for (const std::size_t i : in_turn) {
    const bool moves = balloon_may_move(*served[i], before);
    tasks.push_back({DomainTask::Kind::sample, sampled.uuids[i], {}, {}, {}, moves});
  }
  sampled.asked_at = before;
  std::vector<TaskAnswer> answers = pool_.run(tasks, deadline).answers;
  sampled.answers.resize(answers.size());
  for (std::size_t i = 0; i < in_turn.size(); ++i) {
    sampled.answers[in_turn[i]] = std::move(answers[i]);
  }
  ask_again(sampled, deadline);
  take_answers(sampled);
  return sampled;
}

/// Updates the registry.
void WorkerHypervisor::take_answers(const Sampled& sampled) {
  const MonotonicTime now = monotonic_now();
  for (std::size_t i = 0; i < sampled.uuids.size(); ++i) {
    const std::optional<DomainRecord>& record = sampled.answers[i].record;
    if (!record) continue;
    registry_.find(sampled.uuids[i])->sampled_at = now;
    registry_.update_sizes(sampled.uuids[i], record->actual, record->maximum, now);
    if (record->state != DomainState::running) continue;
    if (!lacks_guest(sampled.answers[i])) {
      registry_.update_statistics(sampled.uuids[i], record->guest, now);
    }
    if (record->guest.last_update && last_observation_.driver.stamps_reports) {
      registry_.update_report(sampled.uuids[i], record->guest, sampled.asked_at, now);
    }
  }
}

/// The answer leaves out the guest's figures because another call held the domain.
bool WorkerHypervisor::lacks_guest(const TaskAnswer& answer) const {
  return last_observation_.driver.always_reports_rss && answer.record && !answer.record->rss &&
         answer.record->state == DomainState::running;
}

/// While another tool's call holds a domain, libvirt leaves its figures out rather than wait
/// (NOWAIT).
void WorkerHypervisor::ask_again(Sampled& sampled, Instant deadline) {
  const MonotonicTime before = monotonic_now();
  std::vector<DomainTask> tasks;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < sampled.uuids.size(); ++i) {
    if (!lacks_guest(sampled.answers[i])) continue;
    const bool moves = balloon_may_move(*registry_.find(sampled.uuids[i]), before);
    tasks.push_back({DomainTask::Kind::sample, sampled.uuids[i], {}, {}, {}, moves});
    indices.push_back(i);
  }
  const Instant again = steady_clock::now() + kAskAgainAfter;
  if (tasks.empty() || again >= deadline) return;
  std::this_thread::sleep_until(again);
  std::vector<TaskAnswer> answers = pool_.run(tasks, deadline).answers;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].kind != TaskAnswer::Kind::unanswered) {
      sampled.answers[indices[i]] = std::move(answers[i]);
    }
  }
}

void WorkerHypervisor::note_unresponsive(const Sampled& sampled, Instant deadline) {
  // These domains hold a worker, or another tool's call to them hangs.
  std::vector<Uuid> suspects;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < sampled.uuids.size(); ++i) {
    const TaskAnswer::Kind kind = sampled.answers[i].kind;
    if (kind == TaskAnswer::Kind::hung || kind == TaskAnswer::Kind::in_job ||
        lacks_guest(sampled.answers[i])) {
      suspects.push_back(sampled.uuids[i]);
      indices.push_back(i);
    }
  }
  if (suspects.empty()) return;
  const auto states = control_states(suspects, deadline);
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    const TaskAnswer& answer = sampled.answers[indices[i]];
    const bool holds_a_worker = answer.kind != TaskAnswer::Kind::done;
    const ControlState state = states[i].value_or(ControlState{});
    const bool stuck =
        state.kind != ControlState::Kind::ok && state.since >= DomainRegistry::kHungAfter;
    if (holds_a_worker || stuck) registry_.mark_unresponsive(suspects[i], state, monotonic_now());
  }
}

Snapshot WorkerHypervisor::make_snapshot(const Sampled& sampled) {
  Snapshot snapshot;
  snapshot.taken_at = monotonic_now();
  snapshot.wall_time = wall_now();
  std::map<Uuid, const TaskAnswer*> answers;
  for (std::size_t i = 0; i < sampled.uuids.size(); ++i) {
    answers[sampled.uuids[i]] = &sampled.answers[i];
  }
  DomainSums sums;
  for (const auto& [uuid, known] : registry_.domains()) {
    const auto answer = answers.find(uuid);
    const TaskAnswer* theirs = answer == answers.end() ? nullptr : answer->second;
    if (theirs != nullptr && theirs->kind == TaskAnswer::Kind::gone) continue;
    snapshot.domains.push_back(make_domain(known, theirs, snapshot.wall_time));
    const Domain& domain = snapshot.domains.back();
    sums.actual += domain.actual;
    if (domain.identity->backing.shared) sums.shared += domain.rss.value_or(MemorySize());
  }
  std::sort(snapshot.domains.begin(), snapshot.domains.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name(), a.uuid()) < std::tie(b.name(), b.uuid());
  });
  const bool this_machine = parts_.local && last_observation_.host.free;
  std::optional<MemInfo> local;
  if (this_machine) {
    const bool several = last_observation_.host.cells.size() > 1;
    local = read_meminfo(options_.meminfo, options_.ksm, several ? options_.nodes : "");
  }
  host_is_read_here_ = local && replaces(*local, last_observation_.host);
  snapshot.host = make_host(last_observation_.host, local, sums);
  return snapshot;
}

Domain WorkerHypervisor::make_domain(const KnownDomain& known, const TaskAnswer* answer,
                                     WallTime now) const {
  Domain domain;
  domain.identity = known.identity;
  domain.actual = known.actual;
  domain.maximum = known.maximum;
  domain.started_at = known.started_at;
  domain.restored_at = known.restored_at;
  domain.reported_after = known.reported_after;
  domain.deflates_by_itself = known.description.deflates_by_itself;
  domain.free_page_reporting = known.description.free_page_reporting;
  domain.id = known.id;
  domain.state = DomainState::busy;
  if (known.unresponsive && known.unresponsive->hung) domain.state = DomainState::hung;
  if (answer == nullptr || !answer->record || known.unresponsive) return domain;
  const DomainRecord& record = *answer->record;
  domain.rss = record.rss;
  domain.guest = record.guest;
  domain.guest.period = known.description.period;
  const bool is_stamped = last_observation_.driver.stamps_reports;
  if (!is_stamped && record.guest.last_update) domain.guest.last_update = now;
  const bool unread = !known.described || lacks_guest(*answer);
  if (!unread) domain.state = record.state.value_or(DomainState::busy);
  if (known.in_long_job) domain.state = DomainState::migrating;
  return domain;
}

std::vector<Note> WorkerHypervisor::drain_notes() {
  return std::exchange(notes_, {});
}

Connections WorkerHypervisor::connections() const {
  constexpr std::size_t kQueryWorkers = 2;  // host_ and control_
  const std::size_t stuck = pool_.stuck();
  return {down_since_ ? 0 : pool_.size() - stuck + kQueryWorkers, stuck};
}

}  // namespace memcoord::libvirt
