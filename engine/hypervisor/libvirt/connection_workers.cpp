#include "engine/hypervisor/libvirt/connection_workers.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

namespace memcoord::libvirt {
namespace {

using std::chrono::steady_clock;

/// The shortest time between two checks of the workers that have not finished.
constexpr auto kShortestWait = std::chrono::milliseconds(20);

Instant next_check(Instant deadline) {
  const Instant now = steady_clock::now();
  const auto half = (deadline - now) / 2;
  return std::min(deadline, now + std::max<steady_clock::duration>(half, kShortestWait));
}

/// A domain holds a worker if its monitor or its job has been taken for most of the time that the
/// worker has been waiting.
std::optional<TaskAnswer::Kind> blame(const std::optional<ControlState>& state,
                                      steady_clock::duration waited) {
  if (!state || state->kind == ControlState::Kind::ok) return std::nullopt;
  if (state->kind == ControlState::Kind::broken) return TaskAnswer::Kind::hung;
  if (state->since < std::chrono::duration_cast<Duration>(waited) / 2) return std::nullopt;
  return state->kind == ControlState::Kind::occupied ? TaskAnswer::Kind::hung
                                                     : TaskAnswer::Kind::in_job;
}

}  // namespace

/// What the thread and the worker's owner share. An abandoned thread keeps it alive.
struct ConnectionWorker::Shared {
  explicit Shared(std::shared_ptr<Connector> maker) : connector(std::move(maker)) {}

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  bool ending = false;
  bool ended = false;
  const std::shared_ptr<Connector> connector;
};

ConnectionWorker::ConnectionWorker(std::shared_ptr<Connector> connector)
    : shared_(std::make_shared<Shared>(std::move(connector))),
      thread_([shared = shared_] { run(shared); }) {}

ConnectionWorker::~ConnectionWorker() {
  (void)end_until(std::chrono::steady_clock::now());
}

void ConnectionWorker::post(Job job) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->jobs.push_back(std::move(job));
  }
  shared_->changed.notify_all();
}

void ConnectionWorker::request_end() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    shared_->jobs.clear();
  }
  shared_->changed.notify_all();
}

bool ConnectionWorker::end_until(Instant deadline) {
  if (!thread_.joinable()) return true;
  request_end();
  std::unique_lock lock(shared_->mutex);
  const bool ended = shared_->changed.wait_until(lock, deadline, [this] { return shared_->ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return ended;
}

void ConnectionWorker::run(const std::shared_ptr<Shared>& shared) {
  std::unique_ptr<Connection> connection;
  std::uint64_t generation = 0;
  for (;;) {
    Job job;
    {
      std::unique_lock lock(shared->mutex);
      shared->changed.wait(lock, [&] { return shared->ending || !shared->jobs.empty(); });
      if (shared->ending) break;
      job = std::move(shared->jobs.front());
      shared->jobs.pop_front();
    }
    if (connection && !connection->alive()) connection.reset();
    std::optional<LibvirtError> refused;
    if (!connection) {
      auto opened = shared->connector->connect();
      if (opened) {
        connection = *std::move(opened);
        ++generation;
      } else {
        refused = std::move(opened.error());
      }
    }
    if (connection) {
      job(WorkerConnection{connection.get(), generation});
    } else {
      job(tl::unexpected(*refused));
    }
  }
  connection.reset();
  {
    const std::lock_guard lock(shared->mutex);
    shared->ended = true;
  }
  shared->changed.notify_all();
}

WorkerPool::WorkerPool(std::shared_ptr<Connector> connector, std::size_t workers,
                       ControlQuery control_query)
    : connector_(std::move(connector)),
      most_(std::max<std::size_t>(1, workers)),
      control_query_(std::move(control_query)) {}

TaskReport WorkerPool::run(std::span<const DomainTask> tasks, Instant deadline,
                           std::size_t domains_per_worker) {
  Run run{tasks,
          deadline,
          {},
          {},
          {},
          {},
          std::vector<bool>(tasks.size()),
          std::vector<bool>(tasks.size())};
  run.report.answers.resize(tasks.size());
  run.again.resize(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) run.again[i] = i;
  for (;;) {
    launch(run, std::exchange(run.again, {}), domains_per_worker);
    launch(run, std::exchange(run.divide, {}), 1);
    if (run.flights.empty()) break;
    const Instant check_at = next_check(deadline);
    for (const Flight& flight : run.flights) (void)flight.chunk->wait_until(check_at);
    harvest(run);
    if (run.flights.empty()) continue;
    if (steady_clock::now() >= deadline) break;
    inspect(run);
  }
  for (const Flight& flight : run.flights) {
    (void)flight.chunk->cancel();
    collect(run, flight);
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) run.report.answers[i].lost = run.lost[i];
  return std::move(run.report);
}

void WorkerPool::launch(Run& run, const std::vector<std::size_t>& indices,
                        std::size_t domains_per_worker) {
  if (indices.empty()) return;
  const std::size_t wanted = std::clamp<std::size_t>(
      (indices.size() + domains_per_worker - 1) / domains_per_worker, 1, most_);
  const std::vector<Member*> workers = free_workers(wanted);
  if (workers.empty()) return;  // all are stuck: these tasks get no answer
  std::size_t first = 0;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::size_t last = indices.size() * (i + 1) / workers.size();
    Flight flight{nullptr, {}, steady_clock::now()};
    std::vector<DomainTask> part;
    for (; first < last; ++first) {
      flight.indices.push_back(indices[first]);
      part.push_back(run.tasks[indices[first]]);
    }
    if (part.empty()) continue;
    flight.chunk = std::make_shared<TaskChunk>(std::move(part), late_);
    workers[i]->chunk = flight.chunk;
    workers[i]->worker->post([chunk = flight.chunk, way = way_](const auto& connection) {
      chunk->perform(connection, *way);
    });
    run.flights.push_back(std::move(flight));
  }
}

std::vector<WorkerPool::Member*> WorkerPool::free_workers(std::size_t wanted) {
  const auto count_free = [&] {
    return static_cast<std::size_t>(
        std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.free(); }));
  };
  while (count_free() < wanted && members_.size() < most_ + kMaxStuck) {
    members_.push_back({std::make_unique<ConnectionWorker>(connector_), nullptr});
  }
  // Workers that a hung guest has released work again; superfluous ones end.
  for (std::size_t spare = count_free(); spare > most_; --spare) {
    members_.erase(std::find_if(members_.begin(), members_.end(),
                                [](const Member& member) { return member.free(); }));
  }
  std::vector<Member*> free;
  for (Member& member : members_) {
    if (member.free() && free.size() < wanted) free.push_back(&member);
  }
  return free;
}

void WorkerPool::harvest(Run& run) {
  const auto done =
      std::stable_partition(run.flights.begin(), run.flights.end(),
                            [](const Flight& flight) { return !flight.chunk->finished(); });
  const std::vector<Flight> finished(std::make_move_iterator(done),
                                     std::make_move_iterator(run.flights.end()));
  run.flights.erase(done, run.flights.end());
  for (const Flight& flight : finished) collect(run, flight);
}

void WorkerPool::collect(Run& run, const Flight& flight) {
  const std::optional<LibvirtError> broken = flight.chunk->broken_by();
  std::vector<TaskAnswer> answers = flight.chunk->answers();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::size_t index = flight.indices[i];
    if (broken && answers[i].kind == TaskAnswer::Kind::unanswered) {
      // The worker opens a new connection, so another try may succeed.
      if (!run.tried_again[index]) run.again.push_back(index);
      run.tried_again[index] = true;
      run.lost[index] = run.lost[index] || answers[i].under_way;
      answers[i] = {TaskAnswer::Kind::failed, std::nullopt, broken};
    }
    run.report.answers[index] = std::move(answers[i]);
  }
}

void WorkerPool::inspect(Run& run) {
  std::vector<Uuid> suspects;
  std::vector<std::size_t> ends;
  for (const Flight& flight : run.flights) {
    const std::vector<Uuid> more = flight.chunk->suspects();
    suspects.insert(suspects.end(), more.begin(), more.end());
    ends.push_back(suspects.size());
  }
  const Instant now = steady_clock::now();
  const std::vector<std::optional<ControlState>> states =
      control_query_(suspects, now + (run.deadline - now) / 4);
  std::vector<Flight> waiting;
  std::size_t first = 0;
  for (std::size_t i = 0; i < run.flights.size(); ++i) {
    std::vector<Uuid> part(suspects.begin() + static_cast<std::ptrdiff_t>(first),
                           suspects.begin() + static_cast<std::ptrdiff_t>(ends[i]));
    std::vector<std::optional<ControlState>> theirs(
        states.begin() + static_cast<std::ptrdiff_t>(first),
        states.begin() + static_cast<std::ptrdiff_t>(ends[i]));
    first = ends[i];
    const bool nothing_is_known = std::none_of(theirs.begin(), theirs.end(),
                                               [](const auto& state) { return state.has_value(); });
    if (nothing_is_known) {
      divide(run, run.flights[i]);
    } else if (!abandon(run, run.flights[i], part, theirs)) {
      waiting.push_back(std::move(run.flights[i]));
    }
  }
  run.flights = std::move(waiting);
}

bool WorkerPool::abandon(Run& run, const Flight& flight, std::span<const Uuid> suspects,
                         std::span<const std::optional<ControlState>> states) {
  const auto waited = steady_clock::now() - flight.launched;
  std::vector<std::pair<Uuid, TaskAnswer::Kind>> culprits;
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    if (const auto kind = blame(states[i], waited)) culprits.emplace_back(suspects[i], *kind);
  }
  if (culprits.empty()) return false;
  if (!flight.chunk->cancel()) {
    collect(run, flight);
    return true;
  }
  std::vector<TaskAnswer> answers = flight.chunk->answers();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::size_t index = flight.indices[i];
    const auto culprit = std::find_if(culprits.begin(), culprits.end(), [&](const auto& known) {
      return known.first == run.tasks[index].domain;
    });
    const bool unanswered = answers[i].kind == TaskAnswer::Kind::unanswered;
    if (unanswered && culprit != culprits.end()) answers[i].kind = culprit->second;
    // A change that has begun since must not be made twice; its late answer will come.
    const bool again = unanswered && culprit == culprits.end() && !answers[i].under_way;
    if (again) run.again.push_back(index);
    run.report.answers[index] = std::move(answers[i]);
  }
  return true;
}

void WorkerPool::divide(Run& run, const Flight& flight) {
  if (!flight.chunk->cancel()) return collect(run, flight);
  std::vector<TaskAnswer> answers = flight.chunk->answers();
  std::vector<std::size_t> unanswered;
  bool holder_is_known = false;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].under_way) {
      // The call about this domain does not return, and must not be made twice.
      answers[i].kind = TaskAnswer::Kind::hung;
      holder_is_known = true;
    } else if (answers[i].kind == TaskAnswer::Kind::unanswered) {
      unanswered.push_back(flight.indices[i]);
    }
    run.report.answers[flight.indices[i]] = std::move(answers[i]);
  }
  if (holder_is_known) {
    run.again.insert(run.again.end(), unanswered.begin(), unanswered.end());
  } else if (unanswered.size() == 1) {
    run.report.answers[unanswered.front()].kind = TaskAnswer::Kind::hung;
  } else {
    run.divide.insert(run.divide.end(), unanswered.begin(), unanswered.end());
  }
}

void WorkerPool::end_until(Instant deadline) {
  for (const Member& member : members_) member.worker->request_end();
  for (const Member& member : members_) (void)member.worker->end_until(deadline);
  members_.clear();
}

std::size_t WorkerPool::stuck() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const Member& m) { return !m.free(); }));
}

}  // namespace memcoord::libvirt
