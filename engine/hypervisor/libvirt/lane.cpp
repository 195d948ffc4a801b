#include "engine/hypervisor/libvirt/lane.h"

#include <deque>

namespace memcoord::libvirt {

/// What the thread and the lane's owner share; the thread keeps it alive where it is let go of.
struct Lane::Shared {
  explicit Shared(std::shared_ptr<Connector> maker) : connector(std::move(maker)) {}

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  bool ending = false;
  bool ended = false;
  const std::shared_ptr<Connector> connector;
};

Lane::Lane(std::shared_ptr<Connector> connector)
    : shared_(std::make_shared<Shared>(std::move(connector))),
      thread_([shared = shared_] { run(shared); }) {}

Lane::~Lane() {
  (void)end_until(std::chrono::steady_clock::now());
}

void Lane::post(Job job) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->jobs.push_back(std::move(job));
  }
  shared_->changed.notify_all();
}

void Lane::request_end() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    shared_->jobs.clear();
  }
  shared_->changed.notify_all();
}

bool Lane::end_until(Instant deadline) {
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

void Lane::run(const std::shared_ptr<Shared>& shared) {
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
    std::optional<LvError> refused;
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
      job(LaneConnection{connection.get(), generation});
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

}  // namespace memcoord::libvirt
